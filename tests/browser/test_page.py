#!/usr/bin/env python3
"""The page that `--html` writes, in a real browser: filters, search, colours, paper, size."""

import copy
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

from browser import Browser

ROOT = Path(__file__).resolve().parents[2]
DATA = re.compile(r'(<script id="data" type="application/json">)(.*?)(</script>)', re.DOTALL)
ADAM = (
    "optimizers/adam", "--map", "testdata/optimizers/adam/rules.yaml",
    "--like", "testdata/templates/keras3_adam",
)
EVIL = "</script><img src=x onerror=document.title=1>"
# All rows are drawn before they are counted.
DRAWN = """(() => {
  const more = document.getElementById('more');
  for (let i = 0; i < 10000 && !more.hidden; i += 1) more.click();
  return [...document.querySelectorAll('#rows tbody tr')].map((row) => row.dataset.state);
})()"""


def ckptmap(*arguments: str | Path, status: int = 0) -> str:
    program = os.environ.get("CKPTMAP")
    if not program:
        raise RuntimeError("the environment variable CKPTMAP must name the ckptmap binary")
    command = [Path(program).resolve(), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == status, f"{command}\n{done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


class PageTest(unittest.TestCase):
    """Pages are made once; each test opens one of them."""

    @classmethod
    def setUpClass(cls) -> None:
        cls.place = tempfile.TemporaryDirectory()
        cls.folder = Path(cls.place.name)
        cls.browser = Browser()
        cls.adam = cls.page("plan", *ADAM)

    @classmethod
    def tearDownClass(cls) -> None:
        cls.browser.close()
        cls.place.cleanup()

    @classmethod
    def page(cls, command: str, source: str, *arguments: str | Path, status: int = 0) -> Path:
        to = cls.folder / f"{len(list(cls.folder.glob('*.html')))}.html"
        ckptmap(command, f"testdata/{source}", *arguments, "--html", to, status=status)
        return to

    @classmethod
    def data(cls, page: Path) -> dict:
        return json.loads(DATA.search(page.read_text())[2])

    @classmethod
    def grown(cls, page: Path, times: int) -> Path:
        """The same page with so many times as many rows."""
        data = cls.data(page)
        rows = data["rows"]
        data["rows"] = [
            {**copy.copy(row), "t": f"{row['t']}/{n}"} for n in range(times) for row in rows
        ]
        to = cls.folder / f"{page.stem}-{times}.html"
        text = json.dumps(data).replace("<", "\\u003c")
        to.write_text(DATA.sub(lambda found: found[1] + text + found[3], page.read_text()))
        return to

    def tearDown(self) -> None:
        self.assertEqual(self.browser.said(), [])

    def states(self) -> list[str]:
        return self.browser.run(DRAWN)

    def test_each_filter_shows_its_rows_and_no_others(self) -> None:
        rules = self.folder / "some.yaml"
        rules.write_text(
            "version: 1\nroot: model\nunmatched: warn\noptimizer: drop\nrules:\n"
            "  - {from: 'model/dense/kernel', to: 'hidden_1/kernel', apply: [transpose]}\n"
            "  - {from: 'model/dense/bias', to: 'hidden_1/bias'}\n  - drop: 'model/dense_2/.*'\n"
        )
        some = ("optimizers/adam", "--map", rules, "--like", "testdata/templates/keras3_adam")
        pages = [
            self.adam, self.page("plan", *some, "--keep-missing"), self.page("plan", *some, status=1)
        ]
        seen = set()
        for page in pages:
            data = self.data(page)
            wanted = [data["states"][row["s"]] for row in data["rows"]]
            self.browser.open(page)
            self.assertEqual(sorted(self.states()), sorted(wanted))
            for state in sorted(set(wanted)):
                button = f"document.querySelector('#filters [data-state=\"{state}\"]')"
                self.browser.run(f"{button}.click()")
                self.assertEqual(self.states(), [state] * wanted.count(state))
                self.assertEqual(self.browser.run(f"{button}.getAttribute('aria-pressed')"), "true")
                said = self.browser.run("document.getElementById('count').textContent")
                self.assertTrue(said.startswith(f"{wanted.count(state)} of {len(wanted)}"), said)
                seen.add(state)
                self.browser.run(f"{button}.click()")
            self.assertEqual(len(self.states()), len(wanted))
        self.assertEqual(
            seen, {"mapped", "transformed", "constant", "kept", "dropped", "not needed", "problem"}
        )

    def test_problems_stand_on_top(self) -> None:
        page = self.page("plan", "conv3", "--map", "testdata/conv3/rules-typo.yaml", status=1)
        self.browser.open(page)
        text = self.browser.run("document.getElementById('notes').innerText")
        self.assertIn("are recorded in", text)
        self.assertIn("rules-typo.yaml:6:14", text)

    def search(self, text: str) -> list[str]:
        self.browser.run(
            f"(() => {{ const s = document.getElementById('search'); s.value = {json.dumps(text)};"
            "s.dispatchEvent(new Event('input')); })()"
        )
        return self.browser.run(
            "[...document.querySelectorAll('#rows tbody td.target')].map((td) => td.textContent)"
        )

    def test_search(self) -> None:
        self.browser.open(self.adam)
        targets = [row["t"] for row in self.data(self.adam)["rows"] if row["t"]]
        self.assertEqual(self.search("HIDDEN_1"), [one for one in targets if "hidden_1" in one])
        self.assertEqual(len(self.search("model/dense/kernel/Adam_1")), 1)
        self.assertEqual(len(self.search("/hidden_[12]/")), 4)
        self.assertEqual(self.search("/(/"), [])
        invalid = "document.getElementById('search').getAttribute('aria-invalid')"
        self.assertEqual(self.browser.run(invalid), "true")
        self.assertTrue(self.browser.run("!document.getElementById('none').hidden"))
        self.search("bias")
        # What is looked for stays in the address.
        self.assertIn("q=bias", self.browser.run("location.hash"))
        self.browser.open(self.adam, "#q=hidden_2")
        self.assertEqual(len(self.search("hidden_2")), 2)

    def test_order(self) -> None:
        self.browser.open(self.adam)
        sizes = "[...document.querySelectorAll('td.size')].map((td) => parseFloat(td.textContent))"
        self.browser.run("document.querySelector('[data-sort=size]').click()")
        found = self.browser.run(sizes)
        self.assertEqual(found, sorted(found, reverse=True))
        self.browser.run("document.querySelector('[data-sort=size]').click()")
        self.assertEqual(self.browser.run(sizes), found[::-1])

    def test_objects(self) -> None:
        self.browser.open(self.adam)
        names = """(() => {
          const tree = document.getElementById('tree');
          for (let i = 0; i < 50; i += 1) {
            for (const one of tree.querySelectorAll('details:not([open])')) { one.open = true; one.fill(); }
          }
          return tree.innerText;
        })()"""
        text = self.browser.run(names)
        for label in ("hidden_1", "_kernel", "_trainable_variables", "→ model/hidden_1/_kernel"):
            self.assertIn(label, text)
        # A link leads to the row.
        found = self.browser.run(
            "(() => { document.querySelector('#tree a').click();"
            "return document.querySelectorAll('tr.found').length; })()"
        )
        self.assertEqual(found, 1)

    def test_colours_can_be_read(self) -> None:
        contrast = """(() => {
          const parts = (text) => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
          const light = (text) => parts(text).map((c) => c / 255)
            .map((c) => (c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
            .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
          const paper = light(getComputedStyle(document.body).backgroundColor);
          const cells = 'td, th button, h1, .summary, dt, dd, #count, #filters button[aria-pressed=false]';
          return [...document.querySelectorAll(cells)].map((one) => {
            const ink = light(getComputedStyle(one).color);
            return (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
          }).reduce((least, ratio) => Math.min(least, ratio), 99);
        })()"""
        for scheme in ("light", "dark"):
            self.browser.media(scheme=scheme)
            for page in (self.adam, self.page("plan", "conv3", "--map", "testdata/conv3/rules-typo.yaml", status=1)):
                self.browser.open(page)
                self.assertGreaterEqual(self.browser.run(contrast), 4.5, scheme)
                before = self.browser.run("getComputedStyle(document.body).backgroundColor")
                self.browser.run("document.getElementById('theme').click()")
                self.assertGreaterEqual(self.browser.run(contrast), 4.5, scheme)
                after = self.browser.run("getComputedStyle(document.body).backgroundColor")
                self.assertNotEqual(before, after)
        self.browser.media()

    def test_narrow_and_wide(self) -> None:
        for width in (360, 768, 1600):
            self.browser.size(width, 800)
            self.browser.open(self.adam)
            self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width)
        self.browser.call("Emulation.clearDeviceMetricsOverride")

    def test_paper(self) -> None:
        page = self.grown(self.adam, 100)
        self.browser.open(page)
        rows = "document.querySelectorAll('#rows tbody tr').length"
        everything = len(self.data(page)["rows"])
        self.assertLess(self.browser.run(rows), everything)
        self.browser.run("dispatchEvent(new Event('beforeprint'))")
        self.assertEqual(self.browser.run(rows), everything)
        self.browser.media("print")
        tools = "getComputedStyle(document.querySelector('.tools')).display"
        self.assertEqual(self.browser.run(tools), "none")
        # Rows stay rows, however narrow the paper is.
        self.browser.size(700, 900)
        row = "getComputedStyle(document.querySelector('#rows tbody tr')).display"
        self.assertEqual(self.browser.run(row), "table-row")
        self.browser.call("Emulation.clearDeviceMetricsOverride")
        self.browser.media()

    def test_names_are_only_text(self) -> None:
        rules = self.folder / "evil.yaml"
        rules.write_text(
            f"version: 1\nrules:\n  - {{from: 'model/conv2d/(.+)', to: {{labels: ['{EVIL}', '$1']}}}}\n"
            "  - {from: 'model/(.+)/(.+)', to: '$1/$2'}\n"
        )
        page = self.page("plan", "conv3", "--map", rules)
        text = page.read_text()
        self.assertEqual(text.count("</script>"), 2)
        self.browser.open(page)
        self.assertEqual(self.browser.run("document.images.length"), 0)
        self.assertIn("ckptmap", self.browser.run("document.title"))
        cells = "[...document.querySelectorAll('td.target')].map((td) => td.textContent).join('\\n')"
        self.assertIn("onerror=", self.browser.run(cells))

    def test_after_a_conversion_and_its_proof(self) -> None:
        new = self.folder / "new" / "ckpt"
        rules = ("--map", "testdata/conv3/rules-keras2.yaml")
        page = self.page("convert", "conv3", *rules, "-o", new)
        self.browser.open(page)
        self.assertIn(f"{new}.index", self.browser.run("document.getElementById('ends').innerText"))
        proof = self.folder / "proof.html"
        swapped = ("--map", "testdata/conv3/rules-swapped.yaml")
        ckptmap("verify", new, "--against", "testdata/conv3", *swapped, "--html", proof, status=1)
        self.browser.open(proof)
        judged = "[...document.querySelectorAll('.judged')].map((one) => one.textContent)"
        self.assertEqual(sorted(self.browser.run(judged)), ["different"] * 4 + ["equal"] * 3)

    def test_many_rows(self) -> None:
        """How long it takes is told, not judged."""
        for rows in (5_000, 50_000):
            page = self.grown(self.adam, -(-rows // len(self.data(self.adam)["rows"])))
            self.browser.open(page)
            spent = self.browser.run(
                """(async () => {
                  const spent = {};
                  const time = async (name, what) => {
                    const begun = performance.now();
                    what();
                    document.body.offsetHeight;
                    spent[name] = Math.round(performance.now() - begun);
                    await new Promise(requestAnimationFrame);
                  };
                  const search = document.getElementById('search');
                  const look = (text) => () => { search.value = text; search.dispatchEvent(new Event('input')); };
                  await time('filter', () => document.querySelector('#filters [data-state=mapped]').click());
                  await time('first search', look('kernel'));
                  await time('next search', look('kernel 7'));
                  await time('sort', () => document.querySelector('[data-sort=size]').click());
                  let worst = 0, before = performance.now();
                  look('')();
                  for (let i = 0; i < 60; i += 1) {
                    scrollBy(0, 700);
                    await new Promise(requestAnimationFrame);
                    worst = Math.max(worst, performance.now() - before);
                    before = performance.now();
                  }
                  spent['longest frame while scrolling'] = Math.round(worst);
                  return spent;
                })()"""
            )
            print(f"{rows} rows: " + ", ".join(f"{name} {ms} ms" for name, ms in spent.items()))
            self.assertGreater(self.browser.run("scrollY"), 10_000)


if __name__ == "__main__":
    unittest.main()
