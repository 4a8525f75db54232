//! What stands below a figure: with which parameters, when and on what its numbers were measured.

use crate::judge::warning::Warning;
use crate::machine::stamp;
use crate::memory::growth::MemoryGrowth;
use crate::memory::series::MemorySeries;
use crate::number::{show_number, thousands};
use crate::time::run::{DesignRun, Timing};
use crate::time::setting::Setting;
use std::fmt::Debug;
use std::mem::discriminant;

/// How the numbers of a figure came about. Results have a `caption`; what a cell measures itself
/// gets one from [`caption!`](crate::caption!).
///
/// ```
/// const TASKS: u64 = 1_000;
/// let caption = helpers::caption![TASKS];
/// assert_eq!(caption.settings, [("TASKS".to_string(), "1,000".to_string())]);
/// assert!(caption.measured.contains(" UTC on "));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Caption {
    /// Parameters and what they were, with units.
    pub settings: Vec<(String, String)>,
    /// What weakens the result.
    pub warnings: Vec<Warning>,
    /// When, in UTC, and on what machine.
    pub measured: String,
}

impl Caption {
    /// The caption of what was measured just now.
    pub fn now() -> Self {
        Self {
            measured: stamp::measured_now(),
            ..Self::default()
        }
    }

    /// One more parameter, by the name that a reader knows it by, and its value; of a long list,
    /// both ends.
    pub fn with(mut self, name: &str, value: impl Debug) -> Self {
        let mut value = grouped(&format!("{value:?}"));
        let signs: Vec<char> = value.chars().collect();
        if signs.len() > 100 {
            value = signs[..60]
                .iter()
                .chain(&[' ', '…', ' '])
                .chain(&signs[signs.len() - 30..])
                .collect();
        }
        self.settings.push((name.into(), value));
        self
    }

    /// The same for a result that these weaken, as [`watched`](crate::watched) tells of what a cell
    /// measures itself.
    ///
    /// ```
    /// use helpers::{Caption, Warning};
    /// let caption = Caption::default().weakened_by(&[Warning::OneCore]);
    /// assert_eq!(caption.warnings, [Warning::OneCore]);
    /// ```
    pub fn weakened_by(mut self, warnings: &[Warning]) -> Self {
        self.warnings.extend(warnings);
        self
    }

    /// The caption of several results together: each parameter once, with all of its values, and
    /// the later time.
    ///
    /// ```
    /// use helpers::Caption;
    /// let both = Caption::default().with("hold", 0).and(&Caption::default().with("hold", 200));
    /// assert_eq!(both.settings, [("hold".to_string(), "0 or 200".to_string())]);
    /// ```
    pub fn and(mut self, other: &Caption) -> Self {
        for (name, value) in &other.settings {
            match self.settings.iter_mut().find(|(known, _)| known == name) {
                Some((_, values)) if values.split(" or ").any(|known| known == value) => {}
                Some((_, values)) => *values += &format!(" or {value}"),
                None => self.settings.push((name.clone(), value.clone())),
            }
        }
        self.warnings.extend(&other.warnings);
        if !other.measured.is_empty() {
            self.measured.clone_from(&other.measured);
        }
        self
    }

    /// The caption as sentences, `marks` among them: what a figure's marks mean. A kind of warning
    /// stands there once.
    pub(crate) fn sentences(&self, marks: String) -> Vec<String> {
        let settings = self
            .settings
            .iter()
            .map(|(name, value)| format!("{name} {value}"));
        let mut sentences = vec![
            settings.collect::<Vec<_>>().join("; "),
            marks,
            self.measured.clone(),
        ];
        for (place, warning) in self.warnings.iter().enumerate() {
            if self.warnings[..place]
                .iter()
                .all(|before| discriminant(before) != discriminant(warning))
            {
                sentences.push(format!("Warning: {warning}"));
            }
        }
        sentences.retain(|sentence| !sentence.is_empty());
        for sentence in &mut sentences {
            let first = sentence
                .chars()
                .next()
                .map(|first| first.to_uppercase().to_string());
            *sentence = format!(
                "{}{}.",
                first.unwrap_or_default(),
                sentence.chars().skip(1).collect::<String>()
            );
        }
        sentences
    }
}

/// A text whose whole numbers have commas, as all numbers of a caption.
fn grouped(text: &str) -> String {
    let mut grouped = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find(|sign: char| sign.is_ascii_digit()) {
        let (before, from) = rest.split_at(begin);
        let end = from
            .find(|sign: char| !sign.is_ascii_digit())
            .unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        grouped += before;
        // Digits of a name or behind a point are no whole number.
        match grouped.ends_with(|sign: char| sign.is_alphanumeric() || ".\"_".contains(sign)) {
            true => grouped += digits,
            false => grouped += &thousands(digits),
        }
        rest = after;
    }
    grouped + rest
}

impl DesignRun {
    /// The caption of a figure of this run.
    pub fn caption(&self) -> Caption {
        let threads: Vec<String> = self.setting.threads.iter().map(usize::to_string).collect();
        let settings = [
            ("threads", threads.join(", ")),
            ("hold", format!("{} ns", thousands(self.setting.hold_ns))),
            ("think", format!("{} ns", thousands(self.setting.think_ns))),
            ("samples", self.samples_in_words()),
            ("seed", self.setting.seed.to_string()),
        ];
        let mut caption = Caption {
            settings: settings
                .map(|(name, value)| (name.to_string(), value))
                .to_vec(),
            warnings: self.warnings.clone(),
            measured: self.measured.clone(),
        };
        if self.setting.breakdown {
            let floors = self.timings.iter().map(Timing::wait_floor);
            let percent = 100.0 * floors.fold(0.0, f64::max);
            let words = format!("{} % of the time", show_number(percent));
            caption
                .settings
                .push(("shortest wait told from none".into(), words));
        }
        if !self.setting.pinned_to.is_empty() {
            caption = caption.with("pinned to cores", &self.setting.pinned_to);
        }
        let moved = self
            .timings
            .iter()
            .map(|timing| timing.placement().moved)
            .max();
        if let Some(moved) = moved.filter(|&moved| moved > 0) {
            let of = format!("up to {moved} of {}", self.setting.samples);
            caption
                .settings
                .push(("samples in which a thread moved".into(), of));
        }
        caption
    }

    /// How many samples, how long they were meant to be and, where that is another time by more
    /// than a tenth, how long they were.
    fn samples_in_words(&self) -> String {
        let Setting {
            samples, sample_ms, ..
        } = self.setting;
        let meant_ms = sample_ms as f64;
        let off = |timing: &Timing| (timing.wall_ms() / meant_ms - 1.0).abs();
        let farthest = self
            .timings
            .iter()
            .max_by(|one, other| off(one).total_cmp(&off(other)));
        let mut words = format!("{samples} of {} ms", thousands(sample_ms));
        if let Some(timing) = farthest.filter(|timing| off(timing) > 0.1) {
            let found = show_number(timing.wall_ms());
            words += &format!(" (`{}` on {}: {found} ms)", timing.label, timing.threads);
        }
        words
    }
}

impl Caption {
    /// The caption of a figure of several runs; how long samples were that differ stands in the
    /// runs themselves.
    ///
    /// ```
    /// assert_eq!(helpers::Caption::of_runs(&[]), helpers::Caption::default());
    /// ```
    pub fn of_runs(runs: &[DesignRun]) -> Self {
        const OF_ONE_RUN: [&str; 3] = [
            "samples",
            "shortest wait told from none",
            "samples in which a thread moved",
        ];
        let add = |all: Self, run: &DesignRun| {
            let mut caption = run.caption();
            let Setting {
                samples, sample_ms, ..
            } = run.setting;
            caption
                .settings
                .retain(|(name, _)| !OF_ONE_RUN.contains(&name.as_str()));
            let samples = format!("{samples} of {} ms", thousands(sample_ms));
            caption.settings.push(("samples".into(), samples));
            all.and(&caption)
        };
        runs.iter().fold(Self::default(), add)
    }
}

impl MemorySeries {
    /// The caption of a figure of this series.
    pub fn caption(&self) -> Caption {
        let MemoryGrowth { count, steps } = self.config;
        let settings = [("count", thousands(count)), ("steps", steps.to_string())];
        let settings = settings
            .map(|(name, value)| (name.to_string(), value))
            .to_vec();
        Caption {
            settings,
            warnings: self.warnings.clone(),
            measured: self.measured.clone(),
        }
    }
}

/// The caption of what a cell measured just now with these constants, by their names.
///
/// ```
/// const HOLD_NS: u64 = 200;
/// const THREADS: &[usize] = &[1, 2];
/// let caption = helpers::caption![HOLD_NS, THREADS];
/// assert_eq!(caption.settings[1], ("THREADS".to_string(), "[1, 2]".to_string()));
/// ```
#[macro_export]
macro_rules! caption {
    ($($name:ident),* $(,)?) => { $crate::Caption::now()$(.with(stringify!($name), &$name))* };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_of_a_caption_have_commas() {
        for (debug, said) in [
            ("20000", "20,000"),
            ("[1, 2000, 64]", "[1, 2,000, 64]"),
            ("Some(0.00012345)", "Some(0.00012345)"),
            ("12345.6789", "12,345.6789"),
            ("\"v4096\"", "\"v4096\""),
            ("\"2026\"", "\"2026\""),
            ("", ""),
        ] {
            assert_eq!(grouped(debug), said);
        }
    }
}
