"""The script of a page is one file with all that it imports."""

import pytest

from service.dashboard.parts import every_part, modules
from service.dashboard.scripts import NotBundled, script_of

MODULES = {
    "pages/one.js": """import "./side.js";
import { double as twice, most } from "../sums/sums.js";
say(twice(most));
""",
    "pages/side.js": """import { most } from "../sums/sums.js";
const double = most;
""",
    "sums/sums.js": """export function double(x) { return 2 * x; }
export const most = 21;
""",
}


def test_a_module_comes_after_those_that_it_imports_each_once_and_in_a_scope_of_its_own() -> None:
    script = script_of("pages/one.js", MODULES)
    assert [line for line in script.splitlines() if line.startswith("//")] == [
        "// sums/sums.js", "// pages/side.js", "// pages/one.js",
    ]  # fmt: skip
    assert "const { double: twice, most } = $sums$sums;" in script
    assert "return { double, most };" in script


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('import * as sums from "../sums/sums.js";', "has a form that is not known here: import"),
        ("export default 1;", "has a form that is not known here: export default 1;"),
        ('import { x } from "./nowhere.js";', "pages/odd.js imports pages/nowhere.js, which is not there"),
        ('import "./odd.js";', "pages/odd.js imports pages/odd.js, which is among its own importers"),
        ('import { least } from "../sums/sums.js";', "imports least from sums/sums.js, which does not export it"),
    ],
)
def test_another_form_is_refused(text: str, said: str) -> None:
    with pytest.raises(NotBundled) as raised:
        script_of("pages/odd.js", MODULES | {"pages/odd.js": text})
    assert said in str(raised.value)


def test_every_module_of_the_page_is_in_a_script() -> None:
    scripts = "".join(part.plain.decode() for name, part in every_part().items() if name.endswith(".js"))
    assert [name for name in modules() if f"// {name}\n" not in scripts] == []
