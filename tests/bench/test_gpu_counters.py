"""The reader of what `ncu` prints."""

import pytest

from bench.gpu_counters import METRICS, counted

HEAD = '"ID","Process ID","Kernel Name","Section Name","Metric Name","Metric Unit","Metric Value"'
ADDCMUL = "void elementwise_kernel<128, 2, void gpu_kernel_impl_nocast<addcmul_cuda_kernel(TensorIteratorBase &)>>(int)"


def launch(number: int, kernel: str, *values: str) -> list[str]:
    """The lines of one launch: a value for each metric."""
    of_metrics = zip(METRICS, values, strict=True)
    return [f'"{number}","1","{kernel}","Command line profiler metrics","{m}","","{v}"' for m, v in of_metrics]


def test_the_kernel_that_took_most_time_is_first_and_its_launches_are_one() -> None:
    lines = ["==PROF== Connected to process 1", "eager 4096", HEAD]
    lines += launch(0, "train", "10,000", "500000000000", "15.2", "70.0", "25")
    lines += launch(1, ADDCMUL, "30,000", "1500000000000", "45.0", "60.0", "80")
    lines += launch(2, ADDCMUL, "10,000", "1100000000000", "33.0", "68.0", "84")
    first, second = counted("\n".join(lines))
    assert (first.name, len(first.launches)) == ("elementwise_kernel addcmul", 2)
    assert str(first) == "20.0 us, 1.40 TB/s (42%), issued 62%, warps 81%"
    assert str(second) == "10.0 us, 0.50 TB/s (15%), issued 70%, warps 25%"


@pytest.mark.parametrize("output", ["", "==ERROR== ERR_NVGPUCTRPERM\n", HEAD])
def test_an_output_without_counters_has_no_kernels(output: str) -> None:
    assert counted(output) == []
