"""The page in a real browser: every button and key, and the numbers shown."""

from __future__ import annotations

import json
import re
import time

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable


def show(*args, **kwargs):
    return dezero.show(*args, open_browser=False, **kwargs)


def twice(x):
    y = x + x
    return y


def diamond(x):
    a = F.square(x)
    b = F.exp(a)
    c = F.sin(b)
    y = a + c
    return y


def network(x):
    model = dezero.models.MLP((3, 1))
    y = model(x)
    loss = F.sum(y)
    return loss


@pytest.fixture
def page(opened):
    return opened(show(diamond, 0.5, title="Diamond"))


@pytest.fixture
def layers(opened):
    return opened(show(network, np.ones((2, 4), np.float32)))


def step(tab):
    return int(tab.locator("#slider").input_value())


def title(tab):
    return tab.locator("#panel h2").last.inner_text()


def box(tab, text):
    return tab.locator("#world .box", has_text=re.compile(text)).first


def until(tab, expression, seconds=10.0):
    """Wait for something to be true. (Playwright's own way is an eval, which a page forbids.)"""
    begin = time.monotonic()
    while not tab.evaluate(expression):
        assert time.monotonic() - begin < seconds, expression
        tab.wait_for_timeout(20)


def texts(tab, part):
    """The texts inside a part of the picture, where Playwright has no inner_text."""
    return [" ".join(found.split()) for found in tab.locator(part).all_text_contents()]


def test_it_begins_before_the_first_function(page):
    assert page.title() == "Diamond" and step(page) == 0
    assert title(page) == "The inputs are there"
    assert box(page, r"^x = 0.5").count() == 1
    assert page.locator("#world .known.function").count() == 0


def test_buttons_walk(page):
    page.click("#next")
    assert (step(page), title(page)) == (1, "Square")
    page.click("#next")
    assert (step(page), title(page)) == (2, "Exp")
    page.click("#previous")
    assert (step(page), title(page)) == (1, "Square")
    page.click("#last")
    assert (step(page), title(page)) == (10, "All gradients are there")
    assert page.locator("#next").is_disabled() and page.locator("#last").is_disabled()
    page.click("#first")
    assert step(page) == 0
    assert page.locator("#previous").is_disabled() and page.locator("#first").is_disabled()


def test_keys_walk(page):
    seen = []
    for key in ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "ArrowLeft", "Home"]:
        page.keyboard.press(key)
        seen.append(step(page))
    assert seen == [1, 2, 1, 10, 10, 9, 0]


def test_the_slider_walks(page):
    page.locator("#slider").fill("6")
    assert title(page) == "Add"
    assert page.locator("#slider").get_attribute("aria-valuetext") == "Backward · 1 of 4"
    page.locator("#slider").focus()
    page.keyboard.press("ArrowRight")
    assert step(page) == 7  # once, not by the slider and by the page
    page.keyboard.press("Home")
    assert step(page) == 0


def test_space_plays_to_the_end_and_stops(opened):
    tab = opened(show(twice, 3.0))
    for _ in range(2):
        tab.click("#speed")
    assert tab.locator("#speed").inner_text()[:1] == "4"
    tab.locator("#panel").focus()
    tab.keyboard.press(" ")
    assert tab.locator("#play").get_attribute("aria-label") == "Pause"
    until(tab, "document.getElementById('slider').value === '4'")
    assert tab.locator("#play").get_attribute("aria-label") == "Play"
    tab.keyboard.press(" ")  # begins again
    assert step(tab) == 0
    tab.keyboard.press(" ")
    assert tab.locator("#play").get_attribute("aria-pressed") == "false"
    tab.click("#play")
    assert tab.locator("#play").get_attribute("aria-pressed") == "true"


def test_the_order_is_the_order_of_the_walk(page):
    names = []
    for k in range(11):
        names.append(title(page))
        if k < 10:
            page.keyboard.press("ArrowRight")
    assert names[1:5] == ["Square", "Exp", "Sin", "Add"]
    assert names[6:10] == ["Add", "Sin", "Exp", "Square"]


def test_the_numbers_are_those_of_the_engine(page):
    x = Variable(np.array(0.5))
    y = diamond(x)
    y.backward(retain_grad=True)
    page.keyboard.press("End")
    assert box(page, r"^x").text_content() == f"x = 0.5grad {x.grad.data:.6g}"
    assert box(page, r"^y").text_content() == f"y = {y.data:.6g}grad 1.0"
    shown = page.locator("#panel .row").inner_text().split("\n")[0]
    assert f"{x.grad.data:.6g}" in shown


def test_who_waits_and_why(page):
    page.locator("#slider").fill("6")  # backward at Add
    queues = page.locator("#panel .queue")
    assert queues.nth(0).locator(".chip").all_inner_texts() == ["Add\n3"]
    assert queues.nth(1).locator(".chip").all_inner_texts() == ["+ Sin\n2", "+ Square\n0"]
    page.keyboard.press("ArrowRight")  # Sin, while Square waits: the largest generation first
    assert title(page) == "Sin"
    assert queues.nth(0).locator(".chip").all_inner_texts() == ["Sin\n2", "Square\n0"]
    assert "the largest generation, 2" in page.locator("#panel").inner_text()
    assert [text[:6] for text in texts(page, "#world .function.waiting")] == ["Square", "Exp1"[:6]]


def test_gradients_of_a_variable_used_twice_add_up(opened):
    tab = opened(show(twice, 3.0))
    tab.locator("#slider").fill("3")
    assert box(tab, r"^x").text_content() == "x = 3.0grad 1.0 + 1.0 = 2.0"
    assert "first 1.0, then + 1.0 = 2.0" in tab.locator("#panel").inner_text()
    tab.keyboard.press("ArrowRight")
    assert box(tab, r"^x").text_content() == "x = 3.0grad 2.0"


def test_what_is_still_to_come_is_shown(page):
    page.locator("#slider").fill("6")
    assert box(page, r"^a").text_content() == "a = 0.25grad 1.0 + …"


def test_rule_and_line(page):
    page.keyboard.press("ArrowRight")
    panel = page.locator("#panel")
    assert panel.locator(".formula").first.inner_text().replace("\n", "") == "y = x2"
    assert panel.locator(".code").first.inner_text() == "a = F.square(x)"
    assert re.search(r"test_browser\.py:\d+ · diamond\(\)", panel.inner_text())
    panel.locator("summary").click()
    assert "gx=lambda gy, x: gy * (2 * x)" in panel.locator("details").inner_text()


def test_details_of_what_is_clicked(page):
    page.keyboard.press("End")
    box(page, r"^a").click()
    assert page.locator("#panel .selected h2").inner_text() == "a"
    assert page.locator("#panel .selected .queue .chip").all_inner_texts() == [
        "Square",
        "Add",
    ] or (page.locator("#panel .selected .queue .chip").all_inner_texts() == ["Exp", "Add"])
    page.locator("#panel .selected .chip", has_text="Exp").click()
    assert page.locator("#panel .selected h2").inner_text() == "Exp"
    page.locator("#panel .selected").get_by_text("Show its backward step").click()
    assert step(page) == 8
    page.keyboard.press("Escape")
    assert page.locator("#panel .selected").count() == 0
    box(page, r"^a").click()
    page.locator("#panel .selected .close").click()
    assert page.locator("#panel .selected").count() == 0


def test_layers_fold_and_unfold(layers):
    functions = layers.locator("#world .box.function")
    assert functions.count() == 4
    layers.click("#fold")
    assert functions.count() == 1
    folded = layers.locator("#world .folded")
    assert folded.count() == 1 and "MLP" in folded.text_content()
    assert "3 functions inside" in folded.text_content()
    folded.click()
    assert layers.locator("#world .folded").count() == 2
    layers.keyboard.press("u")
    assert functions.count() == 4 and layers.locator("#world .folded").count() == 0
    layers.keyboard.press("0")
    layers.locator("#world .open .handle").last.click()
    assert functions.count() == 3
    layers.keyboard.press("f")
    assert functions.count() == 1
    layers.click("#unfold")
    assert functions.count() == 4


def test_shift_goes_over_what_is_folded(layers):
    layers.click("#fold")
    layers.keyboard.press("Shift+ArrowRight")
    assert step(layers) == 1
    assert "MLP" in texts(layers, "#world .current")[0]
    layers.keyboard.press("Shift+ArrowRight")
    assert (step(layers), title(layers)) == (4, "Sum")


def test_search_finds_functions_names_layers_and_lines(layers):
    layers.click("#fold")
    layers.keyboard.press("/")
    for query, first, kind in [
        ("sigm", "Sigmoid", "function"),
        ("l1", "l1", "layer"),
        ("loss", "loss", "output"),
        ("F.sum(y)", "Sum", "function"),
        ("linear", "l0", "layer"),
    ]:
        layers.locator("#query").fill(query)
        row = layers.locator("#results [role=option]").first
        assert (row.locator("b").inner_text(), row.locator("small").inner_text()) == (first, kind)
    layers.locator("#query").fill("nowhere to be found")
    assert layers.locator("#results").inner_text() == "Nothing found"
    layers.locator("#query").fill("sigmoid")
    layers.keyboard.press("Enter")
    assert layers.locator("#panel .selected h2").inner_text() == "Sigmoid"
    assert layers.locator("#world .selected").is_visible()
    assert layers.locator("#results").is_hidden()


def test_search_by_keys_and_escape(layers):
    layers.keyboard.press("/")
    layers.keyboard.type("linear")
    assert step(layers) == 0
    options = layers.locator("#results [role=option]")
    assert options.nth(0).get_attribute("aria-selected") == "true"
    layers.keyboard.press("ArrowDown")
    assert options.nth(1).get_attribute("aria-selected") == "true"
    assert layers.locator("#query").get_attribute("aria-activedescendant") == "found-1"
    layers.keyboard.press("Escape")
    assert layers.locator("#query").input_value() == "" and layers.locator("#results").is_hidden()
    layers.locator("#query").fill("linear")
    options.nth(1).click()
    assert layers.locator("#panel .selected").count() == 1


def scale(tab):
    return float(re.search(r"scale\((.*)\)", tab.locator("#world").get_attribute("transform"))[1])


def test_zoom_and_pan(page):
    begin = scale(page)
    page.click("#zoom-in")
    assert scale(page) == pytest.approx(begin * 1.25, rel=1e-3)
    page.keyboard.press("-")
    page.keyboard.press("-")
    assert scale(page) == pytest.approx(begin * 0.8, rel=1e-3)
    page.click("#zoom-out")
    page.keyboard.press("+")
    stage = page.locator("#stage").bounding_box()
    page.mouse.move(stage["x"] + 100, stage["y"] + 100)
    page.mouse.wheel(0, -400)
    until(page, f"view.k > {begin}")
    before = page.locator("#world").get_attribute("transform")
    page.mouse.down()
    page.mouse.move(stage["x"] + 160, stage["y"] + 130, steps=3)
    page.mouse.up()
    x, y = map(float, re.findall(r"translate\((.*?) (.*?)\)", before)[0])
    after = page.locator("#world").get_attribute("transform")
    moved = list(map(float, re.findall(r"translate\((.*?) (.*?)\)", after)[0]))
    assert moved == pytest.approx([x + 60, y + 30], abs=0.1)
    page.click("#zoom-fit")
    assert scale(page) == pytest.approx(begin, rel=0.2)
    assert all_inside(page)


def all_inside(tab):
    return tab.evaluate(
        """() => { const stage = document.getElementById('graph').getBoundingClientRect();
        return [...document.querySelectorAll('#world .box')].every((box) => {
          const r = box.getBoundingClientRect();
          return r.left >= stage.left && r.right <= stage.right
              && r.top >= stage.top && r.bottom <= stage.bottom; }); }"""
    )


def test_two_fingers_zoom(opened):
    tab = opened(show(diamond, 0.5), 360, 740, has_touch=True, is_mobile=True)
    begin = scale(tab)
    stage = tab.locator("#graph").bounding_box()
    x, y = stage["x"] + 150, stage["y"] + 100
    device = tab.context.new_cdp_session(tab)

    def touch(kind, *points):
        points = [{"x": px, "y": py, "id": i} for i, (px, py) in enumerate(points)]
        device.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", (x - 20, y), (x + 20, y))
    for apart in (30, 40, 60):
        touch("touchMove", (x - apart, y), (x + apart, y))
    touch("touchEnd")
    until(tab, f"view.k > {begin} * 1.3")


def test_boxes_do_not_overlap(layers):
    layers.click("#unfold")
    overlapping = layers.evaluate(
        """() => { const all = [...boxes.values()].filter((b) => !b.open); let n = 0;
        for (const a of all) for (const b of all) if (a !== b
          && Math.abs(a.x - b.x) < (a.w + b.w) / 2 && Math.abs(a.y - b.y) < (a.h + b.h) / 2) n++;
        return n; }"""
    )
    assert overlapping == 0


def test_light_and_dark(opened):
    page = show(twice, 3.0)
    tab = opened(page, color_scheme="dark")
    dark = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert tab.locator("html").get_attribute("data-theme") == "dark"
    tab.emulate_media(color_scheme="light")  # follows the system
    until(tab, "document.documentElement.dataset.theme === 'light'")
    light = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert light != dark
    tab.click("#theme")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == dark
    tab.keyboard.press("t")
    assert tab.locator("html").get_attribute("data-theme") == "light"
    tab.click("#theme")
    tab.reload()
    assert tab.locator("html").get_attribute("data-theme") == "dark"  # remembered


def test_languages(opened):
    tab = opened(show(diamond, 0.5))
    tab.locator("#slider").fill("7")
    assert tab.locator(".kicker").inner_text() == "Backward · 2 of 4"
    tab.select_option("#language", "ko")
    assert tab.locator("html").get_attribute("lang") == "ko"
    korean = tab.locator("#panel").inner_text()
    assert all(word in korean for word in ("역전파", "기울기", "세대", "함수"))
    assert step(tab) == 7 and tab.locator("#next").get_attribute("aria-label") == "다음 단계"
    tab.locator("#panel").focus()
    tab.keyboard.press("l")
    assert "逆伝播" in tab.locator("#panel").inner_text()
    tab.keyboard.press("l")
    assert "Backward" in tab.locator("#panel").inner_text()
    assert opened(show(twice, 3.0), locale="ko-KR").locator(".kicker").inner_text() == "시작"
    assert opened(show(twice, 3.0, language="ja")).locator(".kicker").inner_text() == "開始"


def test_a_title_in_each_language(opened):
    tab = opened(show(twice, 3.0, title={"en": "Twice", "ko": "두 번"}))
    assert tab.locator("#title").inner_text() == tab.title() == "Twice"
    tab.select_option("#language", "ko")
    assert tab.locator("#title").inner_text() == tab.title() == "두 번"
    tab.select_option("#language", "ja")
    assert tab.title() == "Twice"


def test_the_legend_names_what_is_drawn(page):
    named = page.locator("#legend li").all_inner_texts()
    assert named == ["input", "variable", "function", "generation", "gradient"]
    page.set_viewport_size({"width": 1100, "height": 640})  # a notebook's frame
    assert not page.locator("#legend").is_visible()


def test_every_language_has_every_word(page):
    words = json.loads(page.evaluate("JSON.stringify(WORDS)"))
    for code, table in words.items():
        assert set(table) == set(words["en"]), code
        for key, text in table.items():
            fields = [re.findall(r"\{\w+\}", str(w[key])) for w in (table, words["en"])]
            assert set(fields[0]) == set(fields[1]), (code, key)
            assert len(text) == len(words["en"][key]) or not isinstance(text, list)


@pytest.mark.parametrize("language", ["en", "ko", "ja"])
@pytest.mark.parametrize("width", [360, 412, 820])
def test_on_a_phone_nothing_is_wider_than_the_screen(opened, language, width):
    page = show(network, np.ones((2, 4), np.float32), language=language, title="A long title " * 4)
    tab = opened(page, width, 740, has_touch=True)
    for k in (0, 1, 5, 6, 9):
        tab.locator("#slider").fill(str(k))
        assert tab.evaluate("document.documentElement.scrollWidth") == width
        out = tab.evaluate(
            """() => { const all = document.querySelectorAll('header *, footer *, #panel > *');
            return [...all].filter((e) => { const r = e.getBoundingClientRect();
            return r.width && !e.closest('#results') && (r.left < -1 || r.right > innerWidth + 1);
            }).map((e) => e.outerHTML.slice(0, 80)); }"""
        )
        assert out == []
    tab.tap("#next")
    assert step(tab) == 10


def test_by_keyboard_alone(layers):
    reached = []
    for _ in range(40):
        layers.keyboard.press("Tab")
        reached.append(
            layers.evaluate(
                "document.activeElement.id || document.activeElement.dataset.id "
                "|| document.activeElement.className"
            )
        )
    wanted = {"query", "fold", "unfold", "language", "theme", "help", "panel", "slider"}
    wanted |= {"next", "play", "last", "speed", "zoom-in", "zoom-out", "zoom-fit"}
    assert wanted <= set(reached)
    assert any(re.fullmatch(r"[vfg]\d+", name) for name in reached)


def test_the_graph_by_keyboard(layers):
    layers.click("#fold")
    layers.keyboard.press("Home")
    layers.locator("#world .folded").focus()
    ring = layers.evaluate(
        "getComputedStyle(document.querySelector('#world .folded .shape')).strokeWidth"
    )
    layers.keyboard.press("Enter")
    assert layers.locator("#world .open").count() == 1
    assert ring != "1.5px"
    assert layers.evaluate("document.activeElement.dataset.id") == "g0"
    layers.keyboard.press("ArrowDown")
    below = layers.evaluate("document.activeElement.dataset.id")
    assert below and below != "g0"
    layers.keyboard.press("ArrowUp")
    assert layers.evaluate("document.activeElement.dataset.id") != below
    layers.locator("#world .box.output").focus()
    layers.keyboard.press("Enter")
    assert layers.locator("#panel .selected h2").inner_text() == "loss"
    layers.keyboard.press("ArrowRight")  # the walk goes on from wherever one is
    assert step(layers) == 1


def test_each_step_is_said(page):
    page.locator("#slider").fill("6")
    said = page.locator("#live").inner_text()
    assert said.startswith("Backward · 1 of 4: Add, generation 3. The gradient that arrives 1.0.")
    assert "a: 1.0, c: 1.0" in said
    assert page.locator("#live").get_attribute("aria-live") == "polite"


def test_everything_has_a_name(layers):
    nameless = layers.evaluate(
        """() => { const all = document.querySelectorAll(
            'button, input, select, dialog, [role=button], [role=group], [role=toolbar]');
            return [...all].filter((e) => !e.getAttribute('aria-label') && !e.textContent.trim())
            .map((e) => e.outerHTML.slice(0, 90)); }"""
    )
    assert nameless == []


def test_help_lists_the_keys(page):
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible()
    assert "fold all, unfold all" in page.locator("#keys").inner_text()
    page.keyboard.press("ArrowRight")
    assert step(page) == 0
    page.keyboard.press("Escape")
    assert page.locator("#keys").is_hidden()
    page.click("#help")
    page.locator("#keys").get_by_role("button").click()
    assert page.locator("#keys").is_hidden()


@pytest.mark.parametrize("kind", ["no-preference", "reduce"])
def test_motion_only_where_it_is_welcome(opened, kind):
    tab = opened(show(twice, 3.0), reduced_motion=kind)
    tab.click("#next")
    name = tab.evaluate("getComputedStyle(document.querySelector('.on .line')).animationName")
    assert name == ("flow" if kind == "no-preference" else "none")


def test_no_name_runs(opened):
    bad = "</script><img src=x onerror=alert(1)><svg onload=alert(2)>{{x}}"
    x = Variable(np.array(3.0), name=bad)
    tab = opened(show(F.square(x), title=bad))
    tab.on("dialog", lambda dialog: pytest.fail(dialog.message))
    assert tab.locator("#title").inner_text() == bad
    assert tab.locator("img").count() == 0
    tab.locator("#query").fill("onerror")
    assert tab.locator("#results img").count() == 0
    tab.keyboard.press("Enter")
    tab.locator("#slider").fill("4")
    assert bad in tab.locator("#panel").inner_text()


def test_large_graphs_begin_folded_and_answer_at_once(opened):
    model = dezero.models.MLP((8,) * 300)
    with dezero.trace():
        y = F.sum(model(np.ones((2, 8), np.float32)))
    tab = opened(show(y))
    assert 0 < tab.evaluate("visibleCount()") < 200
    took = tab.evaluate(
        """() => { const begin = performance.now(); for (let i = 0; i < 20; i++) go(now + 30);
        return (performance.now() - begin) / 20; }"""
    )
    assert took < 1500  # some 50 ms alone on a machine
    tab.keyboard.press("u")
    assert "Too many" in tab.locator("#live").inner_text()
    assert "Too many" in tab.locator("#notice").inner_text()  # to be seen, not heard alone
    assert tab.locator("#notice").is_visible()
    tab.locator("#query").fill("l137")
    tab.keyboard.press("Enter")
    assert tab.locator("#world .selected").is_visible()


def test_in_a_frame_as_jupyter_shows_it(opened):
    tab = opened("<!doctype html><title>notebook</title>" + show(twice, 3.0)._repr_html_())
    frame = tab.frame_locator("iframe")
    frame.locator("#next").click()
    frame.locator("#theme").click()
    assert frame.locator("#panel h2").inner_text() == "Add"


def test_a_page_without_a_graph(opened):
    with dezero.no_grad():
        y = F.square(Variable(np.array(2.0)))
    tab = opened(show(y))
    assert "nothing to differentiate" in tab.locator("#panel").inner_text()
    for key in ("End", "Home", "ArrowRight", " ", "u"):
        tab.keyboard.press(key)
