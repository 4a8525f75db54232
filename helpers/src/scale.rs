//! From numbers to places: the range of an axis, its ticks and their labels.

use crate::figure::{Axis, Scale};
use crate::show_number;

/// An axis laid over data: places are shares of its length, 0 to 1.
pub(crate) struct Placed {
    scale: Scale,
    from: f64,
    to: f64,
    pub(crate) label: String,
    /// Places and labels.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl Placed {
    /// Lays `axis` over `data`. Positions are ticked where measured, if those are few; values at round numbers.
    /// Names run from the left to the right, or, where they are `rows`, from top to bottom.
    pub(crate) fn new(axis: &Axis, data: &[f64], positions: bool, rows: bool) -> Self {
        let low = data.iter().copied().fold(f64::MAX, f64::min);
        let high = data.iter().copied().fold(f64::MIN, f64::max);
        let (from, to, ticks) = match &axis.scale {
            Scale::Named(names) => {
                let ticks = (0..names.len()).map(|index| index as f64).collect();
                // Half a place of room on both sides.
                let (from, to) = (-0.5, names.len() as f64 - 0.5);
                if rows { (to, from, ticks) } else { (from, to, ticks) }
            }
            Scale::Linear => {
                let (low, high) = (low.min(0.0), if high > low.min(0.0) { high } else { 1.0 });
                (low, high + 0.04 * (high - low), round_between(low, high))
            }
            Scale::Log => {
                let room = (0.05 * (high / low).log10()).max(0.05);
                let (from, to) = (low.log10() - room, high.log10() + room);
                let within = if to - from < 2.5 { &[1.0, 2.0, 5.0][..] } else { &[1.0] };
                let decades = from.floor() as i32..=to.ceil() as i32;
                let ticks = decades.flat_map(|ten| within.iter().map(move |step| step * 10_f64.powi(ten)));
                // Within less than a decade, two of these may not be left.
                let few = to - from < 0.8;
                let ticks =
                    if few { round_between(10_f64.powf(from), 10_f64.powf(to)) } else { ticks.collect() };
                (from, to, ticks)
            }
        };
        let suffix = if axis.scale == Scale::Log { " (log scale)" } else { "" };
        let mut placed = Self {
            scale: axis.scale.clone(),
            from,
            to,
            label: format!("{}{suffix}", axis.label),
            ticks: Vec::new(),
        };
        let mut measured = data.to_vec();
        measured.sort_by(f64::total_cmp);
        measured.dedup();
        let named = matches!(axis.scale, Scale::Named(_));
        let ticks = if positions && !named && measured.len() <= 12 { measured } else { ticks };
        let shares = ticks.into_iter().map(|tick| (placed.share(tick), placed.tick_label(tick)));
        placed.ticks = shares.filter(|(share, _)| (-1e-9..=1.0 + 1e-9).contains(share)).collect();
        placed
    }

    /// Where on the axis `number` stands.
    pub(crate) fn share(&self, number: f64) -> f64 {
        let number = if self.scale == Scale::Log { number.log10() } else { number };
        (number - self.from) / (self.to - self.from)
    }

    fn tick_label(&self, tick: f64) -> String {
        match &self.scale {
            Scale::Named(names) => names.get(tick as usize).cloned().unwrap_or_default(),
            _ => plain(tick),
        }
    }
}

/// A place on an axis as text: as short as it goes, the noise of binary fractions off.
pub(crate) fn plain(place: f64) -> String {
    match place.abs() {
        1_000.0.. => show_number(place),
        _ => format!("{}", (place * 1e6).round() / 1e6),
    }
}

/// Round numbers, about six of them, from `low` to `high` and a step beyond.
fn round_between(low: f64, high: f64) -> Vec<f64> {
    let step = round_step((high - low) / 6.0);
    let from = (low / step).floor();
    (0..=((high / step).ceil() - from) as i64).map(|turn| (from + turn as f64) * step).collect()
}

/// The next of 1, 2, 5 times a power of ten at or above `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    [1.0, 2.0, 5.0, 10.0].map(|turn| turn * power).into_iter().find(|round| *round >= step).unwrap_or(step)
}
