"""The profiler's table becomes figures of the hottest kernels."""

from bench.gpu_counters import STEPS, WIDTH, _kernels

PRINTED = """a line of the program
"ID","Process ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
"0","1","train","gpu__time_duration.sum","us","20.00"
"0","1","train","dram__bytes.sum","Mbyte","1.5"
"0","1","train","smsp__inst_executed.sum","inst","40,960,000"
"0","1","train","smsp__issue_active.avg.pct_of_peak_sustained_elapsed","%","60.0"
"1","1","void at::native::reduce_kernel<512, 1>(at::T1)","gpu__time_duration.sum","ns","40,000"
"1","1","void at::native::reduce_kernel<512, 1>(at::T1)","dram__bytes.sum","Mbyte","120"
"1","1","void at::native::reduce_kernel<512, 1>(at::T1)","smsp__inst_executed.sum","inst","1"
"1","1","void at::native::reduce_kernel<512, 1>(at::T1)","smsp__issue_active.avg.pct_of_peak_sustained_elapsed","%","5"
"""


def test_kernels_come_with_their_figures_the_slowest_first() -> None:
    hottest, other = _kernels(PRINTED)
    assert (hottest.name, other.name) == ("reduce_kernel", "train")
    assert hottest.in_words(60_000) == "reduce_kernel: 67%, 3.00 TB/s, issues 5 %, 0 warp instructions a member-step"
    assert other.instructions / STEPS / WIDTH == 1000
    assert other.in_words(60_000).startswith("train: 33%, 0.07 TB/s, issues 60 %, 1,000 warp instructions")


def test_a_profiler_that_printed_no_table_gave_no_figures() -> None:
    assert _kernels("==ERROR== no permission\n") == []
