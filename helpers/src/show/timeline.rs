//! What became of a schedule, step by step, as a figure.

use crate::show::caption::Caption;
use crate::show::chart::{Chart, chart};
use crate::show::figure::{Axis, Point};
use crate::time::design::Family;
use crate::time::schedule::{Played, Step};

/// With more steps, the words beside them have no room: numbers alone stand there.
const MOST_WORDS: usize = 8;

impl Played {
    /// A place for each step, a row for each thread and for what they share. Lines go from the
    /// first step of an operation to its second.
    ///
    /// ```
    /// use helpers::{Family, Played, Step};
    /// let step = |second, number, total| Step { thread: 0, second, number, total };
    /// let steps = vec![step(false, 0, 0), step(true, 1, 1)];
    /// let played = Played { names: ["reads", "writes"], steps, total: 1, ..Played::default() };
    /// let drawing = played.timeline("What happened?", "counter", Family::Atomic).draw()?;
    /// assert!(drawing.text.contains("writes 1"));
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn timeline(&self, title: &str, shared: &str, family: Family) -> Chart {
        let measured = Caption {
            measured: self.measured.clone(),
            ..Caption::default()
        };
        let mut figure = chart(title)
            .position("step; a line joins the two steps of one operation")
            .value(Axis::named("", ["thread 0", "thread 1", shared]))
            .caption(measured);
        let steps: Vec<(usize, &Step)> = (1..).zip(&self.steps).collect();
        for thread in 0..2 {
            let own: Vec<Point> = steps
                .iter()
                .filter(|(_, step)| step.thread == thread)
                .map(|&(at, step)| point(at, thread, self.note(step)))
                .collect();
            for operation in own.chunks(2) {
                figure = figure.line("", family, operation.to_vec());
            }
        }
        let total = |&(at, step): &(usize, &Step)| point(at, 2, step.total.to_string());
        let totals: Vec<Point> = steps.iter().map(total).collect();
        figure.dots("", Family::Reference, totals)
    }

    fn note(&self, step: &Step) -> String {
        match self.steps.len() > MOST_WORDS {
            true => step.number.to_string(),
            false => format!("{} {}", self.names[usize::from(step.second)], step.number),
        }
    }
}

fn point(at: usize, row: usize, note: String) -> Point {
    Point {
        note,
        ..Point::reading(at as f64, row as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_lines_of_two_points_and_long_schedules_have_numbers_alone() {
        let step = |nth: usize| Step {
            thread: nth % 2,
            second: nth % 4 > 1,
            number: 7,
            total: 3,
        };
        let played = |steps: usize| Played {
            names: ["reads", "writes"],
            steps: (0..steps).map(step).collect(),
            ..Played::default()
        };
        let figure = |steps| {
            let chart = played(steps).timeline("?", "counter", Family::Lock);
            chart.figure().unwrap()
        };
        let short = figure(8);
        let points: Vec<usize> = short.series.iter().map(|it| it.points.len()).collect();
        assert_eq!(points, [2, 2, 2, 2, 8]);
        assert_eq!(short.series[0].points[1].note, "writes 7");
        assert_eq!(figure(12).series[0].points[1].note, "7");
        assert!(figure(12).draw().is_ok());
    }
}
