"""The page in a real browser, Debian's Chromium by Playwright; skipped where there is none."""
