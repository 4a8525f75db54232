//! Trials: an experiment that a notebook writes itself, again and again at several sizes.

use crate::check::within;
use crate::error::{Error, Result};
use crate::judge::warning::{Warning, watched};
use crate::machine::cores::usable_cores;
use crate::machine::stamp;
use crate::stats::estimate::Estimate;
use crate::time::progress::Progress;
use std::time::{Duration, Instant};

/// A run that would take longer is refused.
const LONGEST: Duration = Duration::from_secs(3_600);

/// What trials of one experiment found at each of several sizes, such as numbers of threads.
#[derive(Debug, Clone, PartialEq)]
pub struct Trials<T> {
    /// The sizes, in the order in which they were given.
    pub sizes: Vec<usize>,
    /// What each trial found: a list for each size, in the order of the trials.
    pub found: Vec<Vec<T>>,
    /// What weakens the result.
    pub warnings: Vec<Warning>,
    /// When, and on what machine.
    pub measured: String,
}

impl<const N: usize> Trials<[f64; N]> {
    /// One of the numbers that each trial found.
    ///
    /// # Panics
    /// There are no more than `which`.
    ///
    /// ```
    /// let run = helpers::trials(&[2, 3], 6, |side| {
    ///     let side = side as f64;
    ///     Ok([side * side, side.powi(3)])
    /// })?;
    /// assert_eq!(run.part(1).found[0], [8.0; 6]);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn part(&self, which: usize) -> Trials<f64> {
        let found = self.found.iter();
        let found = found.map(|trials| trials.iter().map(|found| found[which]).collect());
        Trials {
            sizes: self.sizes.clone(),
            found: found.collect(),
            warnings: self.warnings.clone(),
            measured: self.measured.clone(),
        }
    }
}

impl Trials<f64> {
    /// The median at one of the sizes, with its interval.
    ///
    /// # Errors
    /// Nothing was tried at that size, or less than 6 times.
    ///
    /// ```
    /// let squares = helpers::trials(&[2, 3], 6, |side| Ok((side * side) as f64))?;
    /// assert_eq!(squares.estimate(3)?.value, 9.0);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn estimate(&self, size: usize) -> Result<Estimate> {
        match self.sizes.iter().position(|&tried| tried == size) {
            Some(place) => Estimate::median(&self.found[place]),
            None => {
                let wrong = format!("nothing was tried at {size}");
                Err(Error::new(
                    "take a median",
                    wrong,
                    format!("{:?}", self.sizes),
                ))
            }
        }
    }

    /// Each size with the median there, for a line that is drawn without samples.
    ///
    /// # Errors
    /// As [`Estimate::median`].
    pub fn medians(&self) -> Result<Vec<(f64, Estimate)>> {
        let medians = self.found.iter().map(|found| Estimate::median(found));
        let sizes = self.sizes.iter().map(|&size| size as f64);
        sizes
            .zip(medians)
            .map(|(size, median)| Ok((size, median?)))
            .collect()
    }
}

impl<T: Clone> Trials<T> {
    /// The size that is nearest to this one, and what was found there.
    ///
    /// ```
    /// let squares = helpers::trials(&[1, 2, 4], 3, |size| Ok(size * size))?;
    /// assert_eq!(squares.nearest(2), (2, vec![4; 3]));
    /// assert_eq!(squares.nearest(100).0, 4);
    /// # Ok::<(), helpers::Error>(())
    /// ```
    pub fn nearest(&self, size: usize) -> (usize, Vec<T>) {
        let found = self.sizes.iter().copied().zip(self.found.iter().cloned());
        let nearest = found.min_by_key(|(other, _)| other.abs_diff(size));
        nearest.unwrap_or_default()
    }
}

/// Runs `experiment` at each of `sizes`, `trials` times, by turns, so that what disturbs the
/// machine meanwhile disturbs all sizes alike.
///
/// Says after the first round how long the others take, where that is more than five seconds.
/// Up to as many threads as there are cores are taken for the experiment's own.
///
/// # Errors
/// No sizes, or no trials; what `experiment` refuses; more than an hour.
///
/// ```
/// let squares = helpers::trials(&[1, 2, 3], 6, |size| Ok((size * size) as f64))?;
/// assert_eq!(squares.found[2], [9.0; 6]);
/// # Ok::<(), helpers::Error>(())
/// ```
pub fn trials<T>(
    sizes: &[usize],
    trials: usize,
    mut experiment: impl FnMut(usize) -> Result<T>,
) -> Result<Trials<T>> {
    within("trials", trials, 1..=1_000_000)?;
    if sizes.is_empty() {
        let wrong = "there are no sizes";
        return Err(Error::new("run trials", wrong, "1 or more"));
    }
    let (found, warnings) = watched(usable_cores(), || by_turns(sizes, trials, &mut experiment));
    Ok(Trials {
        sizes: sizes.to_vec(),
        found: found?,
        warnings,
        measured: stamp::measured_now(),
    })
}

fn by_turns<T>(
    sizes: &[usize],
    trials: usize,
    experiment: &mut impl FnMut(usize) -> Result<T>,
) -> Result<Vec<Vec<T>>> {
    let mut found: Vec<Vec<T>> = sizes.iter().map(|_| Vec::with_capacity(trials)).collect();
    let mut round = |found: &mut Vec<Vec<T>>| -> Result<()> {
        for (found, &size) in found.iter_mut().zip(sizes) {
            found.push(experiment(size)?);
        }
        Ok(())
    };
    let began = Instant::now();
    round(&mut found)?;
    let others = trials - 1;
    let expected = began.elapsed() * others as u32;
    if expected > LONGEST {
        let wrong = format!("{trials} trials take {} minutes", expected.as_secs() / 60);
        return Err(Error::new("run trials", wrong, "an hour"));
    }
    let progress = Progress::announce(&format!("{others} more trials of each"), expected);
    for done in 1..=others {
        round(&mut found)?;
        progress.tell(done, others);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_take_turns_and_each_keeps_its_order() {
        let mut calls = vec![];
        let run = trials(&[7, 3], 2, |size| {
            calls.push(size);
            Ok(calls.len())
        });
        assert_eq!(run.unwrap().found, [[1, 3], [2, 4]]);
        assert_eq!(calls, [7, 3, 7, 3]);
    }

    #[test]
    fn what_an_experiment_refuses_is_handed_on() {
        let refuse = |_| -> Result<f64> { Err(Error::new("count", "it is late", "mornings")) };
        assert_eq!(trials(&[1], 6, refuse).unwrap_err().wrong, "it is late");
        assert!(trials(&[], 6, |_| Ok(0.0)).is_err());
        assert!(trials(&[1], 0, |_| Ok(0.0)).is_err());
    }
}
