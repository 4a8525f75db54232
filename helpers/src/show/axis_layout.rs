//! An axis laid over what it has to hold.

use crate::show::figure::{Axis, Scale};
use crate::stats::order::sorted;
use plotters::coord::ranged1d::Ranged;
use plotters::coord::types::RangedCoordf64;

/// An axis laid over what it has to hold. Places on it are shares of its length.
pub(crate) struct AxisLayout {
    log: bool,
    /// What stands at either end; on a log axis, the logarithms.
    ends: (f64, f64),
    pub(crate) label: String,
    /// Where a number or a name stands beside it.
    pub(crate) ticks: Vec<(f64, String)>,
}

impl AxisLayout {
    /// Ticked where `measured`, if those places are few, else at round numbers. Names run from left
    /// to right and from top to bottom.
    pub(crate) fn new(axis: &Axis, data: &[f64], measured: &[f64], up: bool) -> Self {
        let log = axis.scale == Scale::Log;
        let place = |number: &f64| if log { number.log10() } else { *number };
        let mut data: Vec<f64> = data.iter().map(place).collect();
        // How large values are is only seen beside zero.
        if axis.scale == Scale::Linear && measured.is_empty() {
            data.push(0.0);
        }
        let data = sorted(&data);
        let low = data[0];
        let high = data[data.len() - 1];
        let room = if high > low { 0.05 * (high - low) } else { 0.5 };
        let [from, to] = [low - room, high + room];
        let ends = match &axis.scale {
            Scale::Named(names) if up => (names.len() as f64 - 0.5, -0.5),
            Scale::Named(names) => (-0.5, names.len() as f64 - 0.5),
            _ => (from, to),
        };
        let scale = if log { " (log scale)" } else { "" };
        let mut laid_out = Self {
            log,
            ends,
            label: format!("{}{scale}", axis.label),
            ticks: vec![],
        };
        for tick in ticks(axis, measured, from, to) {
            let share = laid_out.share(tick);
            if inside(share) {
                laid_out.ticks.push((share, axis.written(tick)));
            }
        }
        laid_out
    }

    /// Where along the axis a number stands.
    pub(crate) fn share(&self, number: f64) -> f64 {
        let number = if self.log {
            number.max(f64::MIN_POSITIVE).log10()
        } else {
            number
        };
        (number - self.ends.0) / (self.ends.1 - self.ends.0)
    }
}

/// Whether a share of an axis lies on it.
pub(crate) fn inside(share: f64) -> bool {
    (-1e-9..=1.0 + 1e-9).contains(&share)
}

/// Where an axis is ticked that goes from one number to another; on a log axis, from the logarithm
/// of one to that of another.
fn ticks(axis: &Axis, measured: &[f64], from: f64, to: f64) -> Vec<f64> {
    const FEW: usize = 12;
    const ROUND: usize = 8;
    let mut places = sorted(measured);
    places.dedup();
    match &axis.scale {
        Scale::Named(names) => (0..names.len()).map(|index| index as f64).collect(),
        _ if (1..=FEW).contains(&places.len()) => places,
        Scale::Log if to - from > 0.8 => decades(from, to),
        Scale::Log => RangedCoordf64::from(10_f64.powf(from)..10_f64.powf(to)).key_points(ROUND),
        Scale::Linear => RangedCoordf64::from(from..to).key_points(ROUND),
    }
}

/// Powers of ten, and where they are few, their double and their half.
fn decades(from: f64, to: f64) -> Vec<f64> {
    let steps: &[f64] = match to - from < 2.5 {
        true => &[1.0, 2.0, 5.0],
        false => &[1.0],
    };
    let powers = from.floor() as i32..=to.ceil() as i32;
    powers
        .step_by(1 + (to - from) as usize / 10)
        .flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power)))
        .collect()
}
