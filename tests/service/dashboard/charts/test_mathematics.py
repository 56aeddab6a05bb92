"""Formulas as mathematics."""

import pytest

from service.dashboard.charts.mathematics import mathematics


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("y = 0.5", '<mi>y</mi><mo>=</mo><mn title="0.5">0.5</mn>'),
        ("y = 1.0 + -2.5 x", '<mi>y</mi><mo>=</mo><mn title="1.0">1</mn><mo>−</mo><mn title="2.5">2.5</mn><mi>x</mi>'),
        ("y = -3 x^2", '<mi>y</mi><mo>=</mo><mn title="-3">−3</mn><msup><mi>x</mi><mn title="2">2</mn></msup>'),
        ("1.23456789e-05 x", '<mrow title="1.23456789e-05"><mn>1.2346</mn><mo>⋅</mo><msup><mn>10</mn><mn>−5</mn></msup>'
         '</mrow><mi>x</mi>'),
        ("4 * P3(1 + 2 x)", '<mn title="4">4</mn><mo>⋅</mo><msub><mi>P</mi><mn>3</mn></msub><mo>(</mo>'
         '<mn title="1">1</mn><mo>+</mo><mn title="2">2</mn><mi>x</mi><mo>)</mo>'),
        ("5 x^4 ?", '<mn title="5">5</mn><msup><mi>x</mi><mn title="4">4</mn></msup><mo>?</mo>'),
    ],
)  # fmt: skip
def test_a_line_of_text_becomes_mathematics(formula: str, expected: str) -> None:
    assert mathematics(formula) == f'<math display="block"><mrow>{expected}</mrow></math>'


def test_what_is_no_formula_stays_text() -> None:
    assert mathematics("<script>") is None
    assert mathematics("y = ∑ x") is None
