//! What a reader sees and does, in a real browser. Skipped, by name, where there is no Chromium.

use crate::checks;
use crate::executed::{self, pages};
use crate::jupyter::{Server, Sheet};
use crate::page::Browser;
use crate::parameter_cells::with_values;
use crate::shields;
use crate::workbench::*;
use serde_json::{Value, json};
use std::fs;

/// Notebook 02 with small values; samples so long that an interrupt comes before sixty of them have
/// passed.
fn small() -> Value {
    with_values(&notebooks()[1], |parameter| match parameter.name.as_str() {
        "SAMPLE_MS" => "20".into(),
        _ => parameter.small(0.0),
    })
}

/// Fails unless every cell did what it should, and all that it shows is seen.
fn assert_well(sheet: &Sheet, what: &str) -> Value {
    let notebook = sheet.notebook();
    let mut wrong = checks::outputs(&notebook);
    wrong.extend(sheet.faults());
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
    notebook
}

#[test]
fn a_shared_notebook_shows_everything_and_a_faulty_one_is_found_out() {
    let test = a_shared_notebook_shows_everything_and_a_faulty_one_is_found_out;
    let Some(browser) = Browser::start(test) else {
        return;
    };
    let (server, paths) = (Server::lab(""), notebooks());
    let sheet = server.open(&browser);
    for path in &paths {
        sheet.show(&name(path), &read(path));
        assert!(
            !sheet.is_trusted(),
            "{} is trusted, so this would show nothing",
            name(path)
        );
        let wrong = sheet.faults();
        assert!(wrong.is_empty(), "{}:\n{}", name(path), wrong.join("\n"));
    }
    let exported = sheet.exported(&name(&paths[0]));
    let wrong = [
        checks::page(&read(&paths[0]), &exported),
        checks::scripts(&exported),
    ]
    .concat();
    assert!(wrong.is_empty(), "exported: {}", wrong.join("\n"));
    sheet.show("faulty", &faulty(&read(&paths[0])));
    let unseen = "faulty: a figure is not seen";
    let tables = "faulty: 1 tables are seen, not 2";
    let asks = "it asks for https://host.invalid/x.png";
    assert_eq!(sheet.faults(), [unseen, unseen, unseen, tables, asks]);
}

/// A notebook with one cell that shows a figure and a table, three figures that a reader does not
/// see, and no table.
fn faulty(committed: &Value) -> Value {
    let outputs = code_cells(committed)
        .into_iter()
        .flat_map(|cell| cell["outputs"].as_array().unwrap());
    let figures = outputs
        .map(|output| text(&output["data"]["image/png"]))
        .filter(|png| !png.is_empty());
    let [seen, hidden]: [String; 2] = figures.take(2).collect::<Vec<_>>().try_into().unwrap();
    let svg = "<svg xmlns='http://www.w3.org/2000/svg' width='1440' height='840'><rect width='99' height='99'/></svg>";
    let outputs = [
        json!({ "image/png": seen }),
        json!({ "image/svg+xml": svg }),
        json!({ "image/png": hidden, "text/html": svg }),
        json!({ "image/png": "AAAA" }),
        json!({ "text/markdown": "no table" }),
        json!({ "text/markdown": "|the first column|the second column|\n|-|-|\n|one|<img src='https://host.invalid/x.png'>|\n" }),
    ]
    .map(|data| json!({ "data": data, "metadata": {}, "output_type": "display_data" }));
    let mut faulty = cell("1", &[]);
    faulty["id"] = "faulty".into();
    faulty["outputs"] = outputs.to_vec().into();
    let mut notebook = committed.clone();
    // With one cell it would look loaded before it is: JupyterLab begins with an empty one.
    notebook["cells"] = json!([committed["cells"][0], faulty]);
    notebook
}

fn run(sheet: &Sheet, menu: &str, entry: &str) -> Value {
    sheet.begin(menu, entry);
    sheet.finish(entry);
    assert_well(sheet, entry)
}

/// A reader runs all cells, changes a number and runs again, interrupts a long measurement, and
/// goes on. `figure` is a cell that takes trials with `CALLERS` threads and shows a figure of them.
fn a_reader_works(sheet: &Sheet, figure: &str) {
    run(sheet, "Run", "Run All Cells");
    sheet.type_number("CALLERS", "2", "3");
    let changed = run(sheet, "Run", "Run Selected Cell and All Below");
    let outputs = cell_named(&changed, figure)["outputs"].as_array().unwrap();
    let twin: String = outputs
        .iter()
        .map(|output| text(&output["data"]["text/plain"]))
        .collect();
    assert!(twin.contains("CALLERS 3"), "not with 3 callers: {twin}");

    sheet.type_number("SAMPLES", "6", "60");
    let source = text(&cell_named(&changed, figure)["source"]);
    sheet.click_line(figure, source.lines().next().unwrap());
    sheet.run_cell();
    sheet.wait_for_output(figure, "59 more trials");
    sheet.choose("Kernel", "Interrupt Kernel");
    sheet.finish("an interrupted measurement");
    let stopped = cell_named(&sheet.notebook(), figure)["outputs"].to_string();
    assert!(
        !stopped.contains("image/png"),
        "the measurement went on to its end"
    );

    sheet.type_number("SAMPLES", "60", "6");
    sheet.click_line("set-up", ":dep");
    run(sheet, "Run", "Run Selected Cell and All Below");
}

#[test]
fn a_reader_changes_a_number_interrupts_and_goes_on() {
    let Some(browser) = Browser::start(a_reader_changes_a_number_interrupts_and_goes_on) else {
        return;
    };
    let mut notebook = small();
    let cells = notebook["cells"].as_array_mut().unwrap();
    let first = cells
        .iter()
        .position(|cell| cell["outputs"].to_string().contains("image/png"))
        .unwrap();
    cells.truncate(first + 1);
    let figure = text(&cells[first]["id"]);
    let server = Server::lab("");
    let sheet = server.open(&browser);
    sheet.show("beginning", &notebook);
    a_reader_works(&sheet, &figure);
}

#[test]
#[ignore = "deep: a whole notebook four times and a restart, about 4 minutes"]
fn a_restart_and_an_interrupt_leave_a_notebook_that_runs() {
    let Some(browser) = Browser::start(a_restart_and_an_interrupt_leave_a_notebook_that_runs)
    else {
        return;
    };
    let server = Server::lab("");
    let sheet = server.open(&browser);
    sheet.show("time", &small());
    a_reader_works(&sheet, "lower-figure");
    run(&sheet, "Kernel", "Restart Kernel and Run All Cells");
}

#[test]
#[ignore = "deep: a notebook in JupyterLab, whose crates are built anew, about a minute"]
fn what_is_set_for_other_work_does_not_reach_jupyterlab() {
    let Some(browser) = Browser::start(what_is_set_for_other_work_does_not_reach_jupyterlab) else {
        return;
    };
    let server = Server::lab(&shields::set());
    let sheet = server.open(&browser);
    let (_folder, path) = shields::notebook();
    let mut notebook = read(&path);
    notebook["cells"][0]["id"] = "set-up".into();
    sheet.show("shielded", &notebook);
    let notebook = run(&sheet, "Run", "Run All Cells");
    assert!(notebook.to_string().contains(shields::RUNS), "{notebook}");
}

/// The width of a usual telephone, in CSS pixels.
const NARROW: u32 = 390;

#[test]
fn a_rendered_page_needs_nobody_and_shows_everything() {
    let Some(browser) = Browser::start(a_rendered_page_needs_nobody_and_shows_everything) else {
        return;
    };
    let mut wrong = Vec::new();
    for name in pages() {
        let address = format!("file://{}", executed::folder().join(&name).display());
        wrong.extend(
            page_faults(&browser, &address)
                .iter()
                .map(|what| format!("{name}: {what}")),
        );
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn a_faulty_page_is_found_out() {
    let Some(browser) = Browser::start(a_faulty_page_is_found_out) else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.html");
    let faults = |body: &str| {
        let head =
            "<!doctype html><meta charset=utf-8><meta name=viewport content='width=device-width'>";
        fs::write(&file, format!("{head}{body}")).unwrap();
        page_faults(&browser, &format!("file://{}", file.display()))
    };
    let dot = "data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=";
    for (body, said) in [
        (
            "<img src=https://host.invalid/x.png alt=x>",
            "it asks for https://host.invalid/x.png",
        ),
        (
            "<link rel=stylesheet href=https://host.invalid/x.css>",
            "it asks for https://host.invalid/x.css",
        ),
        (
            "<style>body { background: url(//host.invalid/x.png) }</style>",
            "it asks for file://host.invalid/x.png",
        ),
        ("<script>1</script>", "it has a script"),
        ("<script>console.error('no')</script>", "the console says: "),
        ("<script>nothing()</script>", "the console says: "),
        (
            &format!("<img src={dot}>"),
            "a figure has no text in its place",
        ),
        (
            &format!("<img src={dot} alt=x style='display: none'>"),
            "a figure is not seen: x",
        ),
        (
            "<img src=data:image/png;base64,AAAA alt=x>",
            "a figure is not seen: x",
        ),
        ("<div style='width: 500px'>wide</div>", "it is 50"),
        (
            "<div class=output_stream><pre style='overflow: auto; width: 9em'>longer than that",
            "a line is cut: lon",
        ),
        (
            "<a href=#nowhere>there</a>",
            "a link leads nowhere: #nowhere",
        ),
        (
            "<a href=nowhere.html>there</a>",
            "a link leads nowhere: file:///",
        ),
    ] {
        let wrong = faults(body);
        assert!(
            wrong.iter().any(|what| what.starts_with(said)),
            "{body}: {wrong:?}"
        );
    }
    let good = format!(
        "<p id=x><a href=#x>there</a><a href=https://host.invalid>far</a><img src={dot} alt=x>"
    );
    assert_eq!(faults(&good), Vec::<String>::new());
}

/// What is wrong with a page that stands alone, in words.
fn page_faults(browser: &Browser, address: &str) -> Vec<String> {
    let page = browser.open(address);
    let strings = |expression: &str| -> Vec<String> {
        serde_json::from_value(page.evaluate(expression)).unwrap()
    };
    let mut wrong = strings(FAULTS);
    page.set_telephone_width(NARROW);
    let width = page.evaluate("document.documentElement.scrollWidth");
    if width.as_u64().unwrap() > NARROW.into() {
        wrong.push(format!(
            "it is {width} pixels wide where {NARROW} are there"
        ));
    }
    wrong.extend(strings(CUT_LINES));
    let asks = |address: &String| {
        !["file:///", "data:"]
            .iter()
            .any(|own| address.starts_with(own))
    };
    wrong.extend(
        page.requests()
            .into_iter()
            .filter(asks)
            .map(|address| format!("it asks for {address}")),
    );
    wrong.extend(
        page.complaints()
            .iter()
            .map(|said| format!("the console says: {said}")),
    );
    // Last, since it leaves the page.
    let lost = strings(OTHER_PAGES)
        .into_iter()
        .filter(|link| page.go(link).is_err());
    wrong.extend(lost.map(|link| format!("a link leads nowhere: {link}")));
    wrong
}

/// What is wrong in a page, looked at from the top to the bottom.
const FAULTS: &str = "(async () => {
    const wrong = [];
    if (document.scripts.length > 0) wrong.push('it has a script');
    for (const image of document.images) {
        image.scrollIntoView();
        await image.decode().catch(() => {});
        const box = image.getBoundingClientRect();
        const seen = image.checkVisibility({ opacityProperty: true, visibilityProperty: true });
        if (!image.alt.trim()) wrong.push('a figure has no text in its place');
        if (!seen || !image.naturalWidth || !box.width) wrong.push(`a figure is not seen: ${image.alt}`);
    }
    for (const link of document.querySelectorAll('a[href^=\"#\"]')) {
        const place = link.getAttribute('href');
        if (place !== '#' && !document.getElementById(decodeURIComponent(place.slice(1))))
            wrong.push(`a link leads nowhere: ${place}`);
    }
    return wrong;
})()";

/// What cells print is prose, which one would have to scroll sideways to read.
const CUT_LINES: &str = "[...document.querySelectorAll('.output_stream pre')]
    .filter(text => text.scrollWidth > text.clientWidth).map(text => `a line is cut: ${text.textContent}`)";

/// The pages beside this one to which it has links.
const OTHER_PAGES: &str = "[...new Set([...document.links].map(link => link.href.split('#')[0])
    .filter(link => link.startsWith('file:') && link !== location.href.split('#')[0]))]";
