//! Figures: the picture says what its text says, whatever is drawn.

use helpers::*;

fn pixels(drawing: &Drawing) -> Vec<[u8; 3]> {
    let mut reader = png::Decoder::new(std::io::Cursor::new(&drawing.png))
        .read_info()
        .unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(
        (info.width, info.height, info.color_type),
        (1440, 840, png::ColorType::Rgb)
    );
    bytes
        .chunks(3)
        .map(|pixel| [pixel[0], pixel[1], pixel[2]])
        .collect()
}

/// The middles of the areas of one colour that are as large as a marker, from left to right.
fn blobs(pixels: &[[u8; 3]], colour: [u8; 3]) -> Vec<(f64, f64)> {
    let mut left: Vec<bool> = pixels.iter().map(|pixel| *pixel == colour).collect();
    let mut middles = Vec::new();
    for start in 0..left.len() {
        let (mut open, mut found) = (vec![start], Vec::new());
        while let Some(place) = open.pop() {
            if std::mem::take(&mut left[place]) {
                found.push(place);
                open.extend([place - 1, place + 1, place - 1440, place + 1440]);
            }
        }
        let mean = |of: fn(&usize) -> usize| {
            found.iter().map(of).sum::<usize>() as f64 / found.len() as f64
        };
        if found.len() > 60 {
            middles.push((mean(|place| place % 1440), mean(|place| place / 1440)));
        }
    }
    middles.sort_by(|one, other| one.0.total_cmp(&other.0));
    middles
}

/// No ink at the very edge: nothing is cut.
fn assert_whole(drawing: &Drawing, what: &str) {
    let pixels = pixels(drawing);
    let sides = pixels
        .chunks(1440)
        .flat_map(|line| line[..30].iter().chain(&line[1410..]));
    let ends = pixels[..12 * 1440].iter().chain(&pixels[836 * 1440..]);
    assert!(
        sides.chain(ends).all(|pixel| *pixel == [255; 3]),
        "{what} is cut"
    );
}

fn readings(numbers: &[(f64, f64)]) -> Vec<Point> {
    numbers
        .iter()
        .map(|&(at, value)| Point::reading(at, value))
        .collect()
}

const COLOURS: [(&str, Family, [u8; 3]); 4] = [
    ("lock", Family::Lock, [0x00, 0x72, 0xB2]),
    ("atomic", Family::Atomic, [0xD5, 0x5E, 0x00]),
    ("channel", Family::Channel, [0x00, 0x9E, 0x73]),
    ("task", Family::Task, [0xCC, 0x79, 0xA7]),
];

/// Reads the text, looks where the picture has its markers, and asks whether one straight axis fits
/// all.
#[test]
fn markers_stand_where_the_text_says() {
    for (scale, place) in [
        (Scale::Log, f64::log10 as fn(f64) -> f64),
        (Scale::Linear, |number| number),
    ] {
        let series = (1..).zip(COLOURS).map(|(nth, (label, family, _))| {
            let value = |at: f64| f64::from(nth) * 70.0 + at * f64::from(nth * nth) + 3.0;
            Series::scattered(
                label,
                family,
                readings(&[4.0, 1.0, 2.0].map(|at| (at, value(at)))),
            )
        });
        let figure = Figure {
            title: "Where?".into(),
            position: Axis::log("threads"),
            value: Axis {
                label: "ns".into(),
                scale,
            },
            series: series.collect(),
            ..Figure::default()
        };
        let drawing = figure.draw().unwrap();
        assert_whole(&drawing, "a figure");
        let pixels = pixels(&drawing);
        let rows: Vec<Vec<&str>> = drawing
            .text
            .lines()
            .skip(2)
            .take_while(|line| !line.is_empty())
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert!(
            rows.is_sorted_by_key(|row| row[1].parse::<u32>().unwrap()),
            "{}",
            drawing.text
        );
        let mut down: Vec<(f64, f64)> = Vec::new();
        for (label, _, colour) in COLOURS {
            let told: Vec<f64> = rows
                .iter()
                .filter(|row| row[0] == label)
                .map(|row| row[2].parse().unwrap())
                .collect();
            // The last stands at the label.
            let middles = blobs(&pixels, colour);
            assert_eq!(middles.len(), told.len() + 1, "{label}: {middles:?}");
            down.extend(
                told.iter()
                    .zip(&middles)
                    .map(|(value, (_, y))| (place(*value), *y)),
            );
            let [first, second, third] = [0, 1, 2].map(|at| middles[at].0);
            assert!(
                (third - second - (second - first)).abs() < 2.0,
                "{label}: {middles:?}"
            );
        }
        down.sort_by(|one, other| one.0.total_cmp(&other.0));
        let (low, high) = (down[0], down[down.len() - 1]);
        for (value, y) in down {
            let wanted = low.1 + (value - low.0) / (high.0 - low.0) * (high.1 - low.1);
            assert!(
                (y - wanted).abs() < 4.0,
                "{value} stands at {y}, not {wanted}"
            );
        }
    }
}

/// Whatever is asked for: a whole picture, or a sentence.
#[test]
fn anything_is_drawn_whole_or_refused_in_a_sentence() {
    let one = |label: &str, points: Vec<Point>| Figure {
        title: format!("What of {label}?"),
        position: Axis::log("threads"),
        value: Axis::log("ns"),
        series: vec![Series::joined(label, Family::Lock, points)],
        marks: vec![
            Mark::position(2.0, "2 cores"),
            Mark::position(2.1, "nearly as many cores"),
        ],
        ..Figure::default()
    };
    let line: Vec<Point> = (0..9)
        .map(|power| Point::reading(f64::from(1 << power), 10.0 + f64::from(power)))
        .collect();
    let many = |count: usize| {
        let series = |nth| Series::joined(format!("series {nth}"), Family::Lock, line.clone());
        Figure {
            series: (0..count).map(series).collect(),
            ..one("many", vec![])
        }
    };
    let sixty = "sixty letters ".repeat(5)[..60].to_string();
    let linear = |figure: Figure| Figure {
        value: Axis::linear("ns"),
        ..figure
    };
    let with_raw = |raw: Vec<f64>| vec![Point::of_samples(1.0, raw).unwrap()];
    let rows = |count: usize| {
        let start = chart("What of rows?").value(Axis::log("ns"));
        let row = |chart: Chart, nth| chart.row(&format!("{sixty} {nth}"), Family::Channel, 5.0);
        (0..count).fold(start, row).figure().unwrap()
    };
    let drawn = [
        one("1 to 256 threads", line.clone()),
        one(&sixty, line.clone()),
        one("Ελληνικά, русский, 漢字", line.clone()),
        one("one point", readings(&[(1.0, 7.0)])),
        linear(one("one point", readings(&[(1.0, 7.0)]))),
        linear(one("one zero", readings(&[(1.0, 0.0)]))),
        one(
            "equal values",
            readings(&[(1.0, 7.0), (2.0, 7.0), (4.0, 7.0)]),
        ),
        one(
            "a thousand times the rest",
            readings(&[(1.0, 7.0), (2.0, 7_000.0), (4.0, 8.0)]),
        ),
        linear(one(
            "a thousand times the rest",
            readings(&[(1.0, 7.0), (2.0, 7_000.0), (4.0, 8.0)]),
        )),
        linear(one("below zero", readings(&[(1.0, -7.0), (2.0, 3.0)]))),
        one(
            "a sample of zero",
            with_raw(vec![0.0, 8.0, 8.0, 9.0, 9.0, 9.0, 9.0, 10.0]),
        ),
        one(
            "a sample far out",
            with_raw(vec![9_000.0, 8.0, 8.0, 9.0, 9.0, 9.0, 9.0, 10.0]),
        ),
        many(40),
        linear(one(
            "the largest number",
            readings(&[(1.0, 1e15), (2.0, -1e15)]),
        )),
        one(
            "the smallest number",
            readings(&[(1.0, 1e-15), (2.0, 1e15)]),
        ),
        linear(one(
            "neighbours",
            readings(&[(1.0, 1e15), (2.0, 1e15 - 1.0)]),
        )),
        Figure {
            position: Axis::log("threads ".repeat(12)),
            value: Axis::log("value ".repeat(15)),
            ..one("long axes", line.clone())
        },
        Figure {
            marks: vec![
                Mark::position(2.0, &sixty[..59]),
                Mark::position(200.0, sixty.as_str()),
            ],
            ..one("long marks", line.clone())
        },
        rows(30),
    ];
    for figure in drawn {
        let drawing = figure
            .draw()
            .unwrap_or_else(|error| panic!("{}: {error}", figure.title));
        assert_whole(&drawing, &figure.title);
    }
    let marks = (0..60)
        .map(|nth| Mark::position(2.0 + f64::from(nth) / 60.0, "a mark among many"))
        .collect();
    let noted = |note: &str| {
        let note = |at: f64| Point {
            note: note.into(),
            ..Point::reading(at, 0.0)
        };
        let value = Axis::named("thread", [0, 1]);
        Figure {
            position: Axis::linear("step"),
            value,
            marks: vec![],
            ..one("notes", [1.0, 2.0].map(note).to_vec())
        }
    };
    assert_whole(&noted(&sixty).draw().unwrap(), "a long note");
    let refused = [
        (
            Figure {
                marks,
                ..one("marks", line.clone())
            },
            "the labels of 60 marks have no room",
        ),
        (noted(&"long ".repeat(100)), "is too long"),
        (one("nothing", vec![]), "there are no points"),
        (
            one("zeros", readings(&[(1.0, 0.0), (2.0, 0.0)])),
            "holds 0.0 (allowed: on a log axis, numbers above 0",
        ),
        (
            one("too large", readings(&[(1.0, f64::MAX)])),
            "e308 (allowed: on a log axis, numbers above 0, from 1e-15 to 1e15)",
        ),
        (one("no number", readings(&[(1.0, f64::NAN)])), "holds NaN"),
        (many(400), "there are 400 labels below each other"),
        (one(&"long ".repeat(100), line.clone()), "is too long"),
        (
            Figure {
                position: Axis::log("long ".repeat(100)),
                ..one("axis", line.clone())
            },
            "is too long",
        ),
        (
            Figure {
                value: Axis::log("long ".repeat(100)),
                ..one("axis", line.clone())
            },
            "is too long",
        ),
        (
            Figure {
                marks: vec![Mark::position(2.0, "long ".repeat(100))],
                ..one("mark", line.clone())
            },
            "is too long",
        ),
        (
            Figure {
                marks: vec![Mark::value(2.0, "long ".repeat(100))],
                ..one("mark", line.clone())
            },
            "is too long",
        ),
        (
            Figure {
                position: Axis::named("x", ["a"]),
                ..one("names", readings(&[(1.0, 2.0)]))
            },
            "holds 1.0 (allowed: places that have a name",
        ),
    ];
    for (figure, words) in refused {
        let error = figure.draw().expect_err(words).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_sample_far_out_is_drawn_at_the_edge_and_counted() {
    let samples = [8.0, 8.0, 9.0, 9.0, 9.0, 10.0, 10.0, 10.0, 10.0, 900.0].to_vec();
    let series = vec![Series::scattered(
        "near",
        Family::Lock,
        vec![Point::of_samples(1.0, samples).unwrap()],
    )];
    let figure = Figure {
        title: "Far?".into(),
        position: Axis::log("threads"),
        value: Axis::linear("ns"),
        series,
        ..Figure::default()
    };
    let drawing = figure.draw().unwrap();
    assert!(
        drawing
            .text
            .contains("samples farther out are triangles at the edge: 1"),
        "{}",
        drawing.text
    );
    // The median is not at the foot of the figure.
    let [(_, y), _] = blobs(&pixels(&drawing), COLOURS[0].2)[..] else {
        panic!("two markers")
    };
    assert!(y < 400.0, "{y}");
}

#[test]
fn two_modes_are_two_markers_with_their_shares_and_no_bar() {
    let sample = |nth: u32| f64::from(nth) / 100.0 + if nth % 3 == 1 { 90.0 } else { 30.0 };
    let point = Point::of_samples(1.0, (0..15).map(sample).collect()).unwrap();
    let figure = Figure {
        title: "Two?".into(),
        position: Axis::log("threads"),
        value: Axis::linear("ns"),
        series: vec![Series::joined("lock", Family::Lock, vec![point])],
        ..Figure::default()
    };
    let drawing = figure.draw().unwrap();
    assert_whole(&drawing, "two modes");
    let row = "lock    1        30 or 90  30   90    10 + 5\n";
    assert!(drawing.text.contains(row), "{}", drawing.text);
    let key = "where samples gather at two places, a marker at each says how many of them; ";
    assert!(
        drawing.text.to_lowercase().contains(key),
        "{}",
        drawing.text
    );
    assert!(
        !drawing.text.to_lowercase().contains("bars are"),
        "{}",
        drawing.text
    );
    let middles = blobs(&pixels(&drawing), COLOURS[0].2);
    let at_one = middles.iter().filter(|(x, _)| *x < 900.0).count();
    assert_eq!((middles.len(), at_one), (3, 2), "{middles:?}");
    // Nothing of full colour between the two.
    let (x, lower) = middles[0];
    let (_, higher) = middles[1];
    let between = ((lower + higher) / 2.0) as usize * 1440 + x as usize;
    assert_ne!(pixels(&drawing)[between], COLOURS[0].2);

    let doubtful = Estimate {
        low: 1.0,
        high: 9.0,
        doubtful: true,
        ..Estimate::exact(5.0)
    };
    let point = Point {
        estimate: doubtful,
        ..Point::reading(1.0, 5.0)
    };
    let series = vec![Series::joined("lock", Family::Lock, vec![point])];
    let text = Figure { series, ..figure }.draw().unwrap().text;
    assert!(
        text.contains("; 1 may be too short, since samples follow"),
        "{text}"
    );
}

#[test]
fn a_caption_says_how_the_numbers_came_about() {
    let lock = Design::new(
        "lock",
        Family::Lock,
        || parking_lot::Mutex::new(0),
        |value, work| {
            work.repeat(|section| {
                *value.lock() += 1;
                section.work()
            })
        },
        |value| *value.lock(),
    );
    let config = Setting {
        threads: vec![1, 2],
        hold_ns: 1_500,
        samples: 7,
        sample_ms: 1,
        ..Setting::default()
    };
    let mut run = time_designs(&[lock], &config).unwrap();
    run.warnings = vec![
        Warning::OneCore,
        Warning::OtherPrograms {
            cores: 1.0,
            free: -0.5,
        },
        Warning::OneCore,
    ];
    let start = chart("What does it cost?").value(Axis::log("ns"));
    let row = |chart: Chart, timing: &Timing| {
        chart.row(&timing.label, timing.family, timing.ns_per_operation())
    };
    let figure = run.timings.iter().fold(start, row);
    let drawing = figure.caption(run.caption()).draw().unwrap();
    let (_, caption) = drawing.text.split_once("\n\n").unwrap();
    let Machine {
        date, processor, ..
    } = Machine::read();
    for words in [
        // A disturbed sample lasts longer, which then stands there, too.
        "Threads 1, 2; hold 1,500 ns; think 0 ns; samples 7 of 1 ms",
        "; seed 1",
        "Markers are medians; ",
        "bars are 95 % intervals within the run; ",
        "faint dots are single samples, 7 of each",
        &format!("Measured {date} "),
        &processor,
        "Warning: there is one core",
        "Warning: other programs kept 1.00 cores busy",
    ] {
        assert!(caption.contains(words), "{words} is missing in {caption}");
    }
    assert_eq!(caption.matches("one core").count(), 1, "{caption}");
}

#[test]
fn a_cell_draws_with_plotters_itself() {
    use plotters::prelude::*;
    let data = Table {
        title: "By hand?".into(),
        header: vec!["x".into()],
        rows: vec![vec!["1".into()]],
    };
    let drawing = Drawing::by_plotters(&data, &caption![], |area| {
        let mut chart = ChartBuilder::on(area)
            .margin(40)
            .set_left_and_bottom_label_area_size(90)
            .build_cartesian_2d(0..10, 0..10)?;
        chart
            .configure_mesh()
            .label_style(("sans-serif", 44))
            .draw()?;
        chart.draw_series([Circle::new((5, 5), 40, RGBColor(1, 2, 3).filled())])?;
        Ok(())
    });
    let drawing = drawing.unwrap();
    assert_whole(&drawing, "a drawing of its own");
    assert_eq!(blobs(&pixels(&drawing), [1, 2, 3]).len(), 1);
    assert!(
        drawing.text.starts_with("By hand?\nx\n1\n\nMeasured "),
        "{}",
        drawing.text
    );
    let failed = Drawing::by_plotters(&data, &caption![], |_| Err("no reason".into()));
    assert!(failed.unwrap_err().to_string().contains("no reason"));
}

/// In one colour, as in print: markers of ten series, of which no two look alike.
#[test]
fn series_are_told_apart_by_shape_alone() {
    let one = |nth: u32| Series::scattered("", Family::Lock, readings(&[(f64::from(nth), 1.0)]));
    let series = (0..10).map(one).collect();
    let figure = Figure {
        title: "Which?".into(),
        position: Axis::linear("x"),
        series,
        ..Figure::default()
    };
    let pixels = pixels(&figure.draw().unwrap());
    let mut middles = blobs(&pixels, COLOURS[0].2);
    // Those in the column of labels at the right stand one upon the other.
    middles.truncate(10);
    let around = |(x, y): (f64, f64)| {
        let (x, y) = (x as usize, y as usize);
        let ink = (y - 14..y + 14).flat_map(|y| (x - 14..x + 14).map(move |x| y * 1440 + x));
        ink.map(|place| pixels[place] == COLOURS[0].2)
            .collect::<Vec<bool>>()
    };
    let markers: Vec<Vec<bool>> = middles.into_iter().map(around).collect();
    assert_eq!(markers.len(), 10);
    for (nth, one) in markers.iter().enumerate() {
        let ink = one.iter().filter(|&&ink| ink).count();
        for other in &markers[..nth] {
            let differ = one
                .iter()
                .zip(other)
                .filter(|(one, other)| one != other)
                .count();
            assert!(
                differ * 6 > ink,
                "marker {nth} looks like one before it: {differ} of {ink} pixels differ"
            );
        }
    }
}

/// One figure of each kind that a chain can build.
fn kinds() -> Vec<Figure> {
    let waits: Vec<f64> = (1..=500).map(|nth| f64::from(nth * nth)).collect();
    let shorter: Vec<f64> = waits.iter().map(|ns| ns / 3.0).collect();
    let median = vec![9.0, 10.0, 11.0, 12.0, 13.0, 14.0, 15.0];
    let printed = [2.55, 2.57, 2.57, 2.58, 3.0, 3.0];
    let shares = |first: f64| [1.0, 2.0, 4.0].map(|at| (at, first / at)).to_vec();
    let charts = [
        chart("How long do threads wait for the lock?")
            .position(Axis::log("wait of an operation, ns"))
            .distribution("mutex", Family::Lock, &waits)
            .distribution("fair mutex", Family::Lock, &shorter)
            .distribution("channel", Family::Channel, &median),
        chart("What does an addition cost under each promise?")
            .value(Axis::log("ns per addition"))
            .heading("done when the call returns")
            .row("mutex", Family::Lock, median.clone())
            .row("owner that replies", Family::Channel, 9_000.0)
            .guess("owner that replies", Some(40.0))
            .heading("done later")
            .row("owner behind a channel", Family::Channel, median.clone())
            .guess("mutex", Some(1e12)),
        chart("What does the program print?")
            .value("kB for each goroutine")
            .strip("ten runs", Family::Reference, &printed)
            .strip("one run", Family::Task, &[0.32])
            .guess("ten runs", Some(2.8)),
        chart("Where are the threads?")
            .position(Axis::named("threads", [1, 2, 4]))
            .value("share of the time, %")
            .part(
                "hold",
                Family::Lock,
                vec![(0.0, 80.0), (1.0, 55.0), (2.0, 30.0)],
            )
            .part(
                "wait",
                Family::Lock,
                vec![(0.0, 0.0), (1.0, 40.0), (2.0, 68.0)],
            )
            .part(
                "think",
                Family::Reference,
                vec![(0.0, 20.0), (1.0, 5.0), (2.0, 2.0)],
            ),
        chart("Which counter keeps every update?")
            .position(Axis::log("threads"))
            .value("updates lost, %")
            .line("load, then store", Family::Atomic, shares(40.0))
            .line("mutex", Family::Lock, shares(0.0))
            .guess("load, then store", Some(10.0))
            .guess_at("mutex", 4.0, Some(1_000.0))
            .cores(),
    ];
    charts
        .into_iter()
        .map(|chart| chart.figure().unwrap())
        .collect()
}

#[test]
fn every_kind_of_figure_is_drawn_whole() {
    for figure in kinds() {
        let drawing = figure
            .draw()
            .unwrap_or_else(|error| panic!("{}: {error}", figure.title));
        assert_whole(&drawing, &figure.title);
        if let Ok(folder) = std::env::var("FIGURES") {
            let name = figure.title.replace(' ', "-").replace(['?', ','], "");
            std::fs::write(format!("{folder}/{name}.png"), &drawing.png).unwrap();
        }
    }
}

#[test]
fn the_data_of_a_figure_are_its_numbers_and_its_text() {
    for figure in kinds() {
        let drawing = figure.draw().unwrap();
        let data: serde_json::Value = serde_json::from_str(&drawing.data).unwrap();
        assert_eq!(data["title"], figure.title.as_str());
        for (series, told) in figure.series.iter().zip(data["series"].as_array().unwrap()) {
            assert_eq!(told["label"], series.label.as_str());
            for (point, told) in series.points.iter().zip(told["points"].as_array().unwrap()) {
                // Read back, a number may differ in its last digit.
                let same = |told: &serde_json::Value, number: f64| {
                    (told.as_f64().unwrap() - number).abs() <= 1e-12 * number.abs()
                };
                assert!(same(&told["at"], point.at), "{told}");
                assert!(same(&told["value"], point.estimate.value), "{told}");
                let samples = told["samples"].as_array().map_or(0, Vec::len);
                assert_eq!(samples, point.raw.len());
            }
        }
        let rows = data["rows"].as_array().unwrap();
        let points: usize = figure.series.iter().map(|series| series.points.len()).sum();
        assert_eq!(rows.len(), points);
        for (row, line) in rows.iter().zip(drawing.text.lines().skip(2)) {
            for cell in row.as_array().unwrap() {
                assert!(
                    line.contains(cell.as_str().unwrap()),
                    "{cell} is not in {line:?}"
                );
            }
        }
    }
}
