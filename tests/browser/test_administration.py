"""Workers drained and queues paused by the page, keys made and revoked, rules set: by mouse, by keys, and refused."""

import re

import httpx
import pytest
from playwright.sync_api import Page, Route, expect
from sqlalchemy import select, update

from gradyard.jobs.fleet import HoldKind
from gradyard.jobs.settings import Settings
from gradyard.store import fleet, queries
from gradyard.store.database import Database
from gradyard.store.tables import AuditEntry, Worker
from tests.actors import claimed, submitted, worker_of
from tests.browser.conftest import DESK, LOOKS, PHONE, OpenPage, assert_open_to_all

pytestmark = pytest.mark.browser

PATHS = ("/workers", "/files", "/projects", "/storage", "/keys", "/webhooks", "/audit")
EVIL = "\"'><img src=x onerror=alert(1)><script>alert(2)</script>"
A_DAY, A_MINUTE_MS = 86_400.0, 60_000
Seeded = tuple[str, Database, Settings]


@pytest.fixture(scope="module")
def url(seeded: Seeded) -> str:
    """A service with a slot that trains, an idle one, a GPU of an evil name with load, and a dead slot."""
    origin, database, settings = seeded
    submitted(database, settings, name="at work", steps=2000)
    claimed(database, worker_of(database, lease=A_DAY), A_DAY)
    worker_of(database, "cpu-1", lease=A_DAY)
    gpu, dead = worker_of(database, "gpu-0", "gpu", lease=A_DAY), worker_of(database, "cpu-2", lease=-60.0)
    with database.begin() as connection:
        figures = {"device_name": EVIL, "device_uuid": "GPU-" + EVIL, "utilization_percent": 97.0,
                   "memory_used_mib": 80_000, "device_memory_mib": 81_559}  # fmt: skip
        connection.execute(update(Worker).where(Worker.id == gpu.id).values(figures))
        connection.execute(update(Worker).where(Worker.id == dead.id).values(heartbeat_at=Worker.heartbeat_at - 75))
        fleet.hold(connection, HoldKind.QUEUE, "gpu", actor=EVIL, reason=f"{EVIL} and a long reason " * 8)
    return origin


def reasons_of(database: Database) -> dict[tuple[str, str], str | None]:
    with database.read() as connection:
        return {(each.kind, each.name): each.reason for each in queries.holds(connection)}


def agree(page: Page, text: str | None = None) -> None:
    dialog = page.locator("#ask")
    expect(dialog).to_be_visible()
    if text is not None:
        dialog.get_by_role("textbox").fill(text)
    dialog.get_by_role("button", name="Yes").click()


@pytest.fixture(scope="module")
def webhook(url: str) -> str:
    """The page of a webhook with a message, in a service with a live key and a revoked one."""
    asked = {"url": "https://example.org/there", "description": EVIL, "events": ["job.failed"]}
    made = httpx.post(f"{url}/v1/webhooks", json=asked).json()
    httpx.post(f"{url}/v1/webhooks/{made['id']}/test").raise_for_status()
    key = [httpx.post(f"{url}/v1/keys", json={"name": name}).json()["id"] for name in ("there", "gone")][1]
    httpx.delete(f"{url}/v1/keys/{key}").raise_for_status()
    named = {"params": {"name": EVIL}, "content": f"x,y,{EVIL.split('=')[-1]}\n1,2,a\n2,,b\n".encode()}
    httpx.post(f"{url}/v1/files", **named).raise_for_status()  # type: ignore[arg-type]
    return f"/webhooks/{made['id']}"


@pytest.mark.parametrize("look", LOOKS)
def test_every_page_opens_without_errors_fits_and_has_no_serious_barrier(
    open_page: OpenPage, webhook: str, look: str
) -> None:
    page = open_page("/workers", **LOOKS[look])
    page.on("dialog", lambda dialog: pytest.fail(f"a text of a user ran: {dialog.message}"))
    for path in (*PATHS, webhook):
        page.goto(path)
        expect(page.locator("main h1")).to_be_visible()
        assert_open_to_all(page, look)


def test_a_slot_is_drained_with_a_reason_and_undrained_again(open_page: OpenPage, seeded: Seeded) -> None:
    page = open_page("/workers", viewport=DESK)
    page.get_by_role("button", name="Drain slot cpu-1").click()
    agree(page, "a new disk")
    undrain = page.get_by_role("button", name="Undrain slot cpu-1")
    expect(undrain).to_be_focused()
    expect(page.get_by_text("a new disk")).to_be_visible()
    assert reasons_of(seeded[1])["slot", "cpu-1@host"] == "a new disk"
    undrain.click()
    expect(page.get_by_role("button", name="Drain slot cpu-1", exact=True)).to_be_focused()
    assert ("slot", "cpu-1@host") not in reasons_of(seeded[1])


def test_a_queue_is_paused_and_resumed_by_keys_alone(open_page: OpenPage, seeded: Seeded) -> None:
    page = open_page("/workers", viewport=DESK)
    page.get_by_role("button", name="Pause the queue cpu").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#ask-text")).to_be_focused()
    page.keyboard.type("new driver")
    page.keyboard.press("Enter")
    resume = page.get_by_role("button", name="Resume the queue cpu")
    expect(resume).to_be_focused()
    assert reasons_of(seeded[1])["queue", "cpu"] == "new driver"
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause the queue cpu")).to_be_focused()
    assert ("queue", "cpu") not in reasons_of(seeded[1])


def test_who_says_no_or_escapes_changes_nothing(open_page: OpenPage, seeded: Seeded) -> None:
    page = open_page("/workers", viewport=DESK)
    before = reasons_of(seeded[1])
    page.get_by_role("button", name="Drain host host").click()
    page.locator("#ask").get_by_role("button", name="No").click()
    page.get_by_role("button", name="Drain host host").click()
    expect(page.locator("#ask")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#ask")).to_be_hidden()
    assert reasons_of(seeded[1]) == before


def test_a_worker_that_another_drains_is_shown_without_a_reload(open_page: OpenPage, seeded: Seeded) -> None:
    page = open_page("/keys", viewport=DESK)
    page.clock.install()
    page.goto("/workers")
    expect(page.get_by_role("button", name="Drain slot cpu-0", exact=True)).to_be_visible()
    with seeded[1].begin() as connection:
        fleet.hold(connection, HoldKind.SLOT, "cpu-0@host", actor="api:another@ops", reason="elsewhere")
    page.clock.fast_forward(A_MINUTE_MS)  # a page asks several times a minute
    expect(page.get_by_text("elsewhere")).to_be_visible()
    with seeded[1].begin() as connection:
        fleet.lift(connection, HoldKind.SLOT, "cpu-0@host")
    page.clock.fast_forward(A_MINUTE_MS)
    expect(page.get_by_text("elsewhere")).to_be_hidden()


def test_a_key_is_made_shown_once_and_revoked(open_page: OpenPage, seeded: Seeded) -> None:
    page = open_page("/keys", viewport=DESK, permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Name").fill("ada")
    page.locator("#key-project").fill("physics")
    page.get_by_role("button", name="Make the key").click()
    shown = page.locator("#secret-text")
    expect(shown).to_have_text(re.compile(r"^gradyard_"))
    secret = shown.inner_text()
    for _ in range(3):  # a browser lets a page refuse the first only
        page.keyboard.press("Escape")
    expect(shown).to_be_visible()  # it cannot be shown again
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    page.get_by_role("button", name="I have it").click()
    expect(page.locator("#secret")).to_be_hidden()
    assert secret not in page.content()
    expect(page.get_by_role("row", name="ada")).to_contain_text("live")
    page.get_by_role("button", name="Revoke ada").click()
    agree(page)
    expect(page.get_by_role("row", name="ada")).to_contain_text("revoked")
    with seeded[1].read() as connection:
        actions = set(connection.execute(select(AuditEntry.action)).scalars())
    assert {"key_created", "key_revoked"} <= actions


def test_what_is_refused_is_told_beside_its_field(open_page: OpenPage) -> None:
    page = open_page("/keys", viewport=DESK, expected=("422",))
    name = page.get_by_label("Name")
    name.fill("-not-a-name")
    page.get_by_label("Expires in days").fill("0")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator("#key-name-problem")).to_contain_text("must be 1 to 64 letters")
    expect(page.locator("#key-expires_in_days-problem")).to_contain_text("greater than 0")
    expect(name).to_have_attribute("aria-invalid", "true")
    expect(name).to_be_focused()


def test_a_rule_tells_what_it_lets_go_before_it_is_set(open_page: OpenPage) -> None:
    page = open_page("/storage", viewport=DESK)
    page.get_by_label("Their size").fill("1.5")
    page.get_by_label("Unit of the size").select_option("GiB")
    page.get_by_role("button", name="Set the rule").click()
    expect(page.locator("#ask-words")).to_contain_text("lets 0 jobs go now")
    agree(page)
    expect(page.locator("#live-rule b")).to_have_text("1.5 GiB")
    page.get_by_role("button", name="Use the service's rule").click()
    agree(page)
    expect(page.locator("#live-rule b")).to_have_text("all ended jobs")


def test_a_webhook_is_made_tried_switched_off_and_deleted(open_page: OpenPage) -> None:
    page = open_page("/webhooks", viewport=DESK, expected=("422",))
    page.get_by_label("Address").fill("http://example.org/")
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.locator("#webhook-url-problem")).to_be_visible()
    page.get_by_label("Address").fill("https://example.org/hook")
    page.get_by_role("button", name="Make the webhook").click()
    expect(page.locator("#secret-text")).to_have_text(re.compile(r"^whsec_"))
    page.get_by_role("button", name="I have it").click()
    page.get_by_role("link", name="https://example.org/hook").click()
    page.get_by_role("button", name="Test").click()
    expect(page.get_by_role("row", name="webhook.test")).to_contain_text("waiting")
    page.get_by_role("button", name="Switch off").click()
    agree(page)
    expect(page.get_by_role("button", name="Switch on")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    agree(page)
    page.wait_for_url("**/webhooks")
    expect(page.get_by_role("heading", name="Webhooks")).to_be_visible()
    expect(page.get_by_role("link", name="https://example.org/hook")).to_have_count(0)


def test_the_menu_opens_and_closes_by_keys(open_page: OpenPage) -> None:
    page = open_page("/workers", viewport=PHONE)
    more = page.locator("#menu > summary")
    more.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="Audit")).to_be_in_viewport()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Audit")).to_be_hidden()
    expect(more).to_be_focused()


def test_lists_can_be_read_without_scripts(open_page: OpenPage) -> None:
    page = open_page("/workers", java_script_enabled=False, viewport=DESK)
    expect(page.get_by_role("link", name="at work")).to_be_visible()
    expect(page.locator("[data-verb]").first).to_be_hidden()
    page.goto("/keys")
    expect(page.locator("noscript .alert")).to_be_visible()


@pytest.mark.parametrize(("path", "script", "field"), [
    ("/submit?stage=nn", "submit", "#fields input:visible"),
    ("/keys", "administration", "[name=name]"),
    ("/webhooks", "administration", "[name=url]"),
    ("/storage", "administration", "form[data-send] input"),
])  # fmt: skip
def test_a_form_that_scripts_send_waits_for_them(open_page: OpenPage, path: str, script: str, field: str) -> None:
    page, held = open_page("/workers"), list[Route]()

    def hold(route: Route) -> None:  # playwright takes no built-in function
        held.append(route)

    page.route(re.compile(rf"/{script}[^/]*\.js"), hold)
    with page.expect_request(re.compile(rf"/{script}[^/]*\.js")):
        page.goto(path, wait_until="commit")
    button = page.locator("form#submit, form[data-send]").locator("[type=submit]")
    expect(button).to_be_disabled()
    page.locator(field).first.fill("12")
    page.keyboard.press("Enter")
    held[0].continue_()
    expect(button).to_be_enabled()
    expect(page.locator(field).first).to_have_value("12")
    assert page.url.endswith(path), "a browser sends no form by itself"
