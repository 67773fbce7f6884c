"""The picture is valid SVG that shows what the report holds."""

from xml.etree import ElementTree as ET

from gemma_operator.simulation.options import Options
from gemma_operator.simulation.plot import HEIGHT, WIDTH, plot
from gemma_operator.simulation.run import simulate
from gemma_operator.simulation.svg import ticks
from tests.unit.simulation.engines import ENGINE, SETTINGS, steady

SVG = "{http://www.w3.org/2000/svg}"


def test_the_picture_has_titles_units_and_a_legend_and_stays_on_its_page() -> None:
    load = steady(12.0, 600)
    report = simulate(load, SETTINGS, ENGINE, Options(initial_replicas=2))
    root = ET.fromstring(plot(load, report, "name <of> & plan"))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    for wanted in ("name <of> & plan", "requests per second", "tokens per second", "replicas", "minutes", "desired"):
        assert wanted in texts
    for line in root.iter(f"{SVG}polyline"):
        for point in line.attrib["points"].split():
            x, y = map(float, point.split(","))
            assert 0 <= x <= WIDTH
            assert 0 <= y <= HEIGHT


def test_ticks_are_round_and_reach_the_most() -> None:
    assert ticks(23.0, 4) == [0, 10, 20, 30]
    assert ticks(3.0, 6, whole=True) == [0, 1, 2, 3]
    assert ticks(0.0, 4)[0] == 0
