//! Work that may panic, or never end, and must not take the notebook with it.

use crate::error::{Error, Result};
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::channel;
use std::time::Duration;

/// How work ended that was given a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending<T> {
    /// It returned this.
    Returned(T),
    /// It panicked, with this message.
    Panicked(String),
    /// It had not ended when its time was up; its thread is left behind.
    Stuck,
}

impl<T> Ending<Result<T>> {
    /// What the work returned, or why there is nothing, as one error.
    ///
    /// # Errors
    /// What the work refused; that it panicked, or had not ended.
    ///
    /// ```
    /// use helpers::attempt;
    /// use std::time::Duration;
    /// let stuck = attempt(Duration::from_millis(50), || -> helpers::Result<()> {
    ///     loop {
    ///         std::thread::park();
    ///     }
    /// });
    /// let words = stuck.result("time it").unwrap_err().to_string();
    /// assert_eq!(words, "cannot time it: it had not ended (allowed: work that ends in time)");
    /// ```
    pub fn result(self, what: &str) -> Result<T> {
        match self {
            Ending::Returned(found) => found,
            Ending::Panicked(why) => {
                let wrong = format!("it panicked: {why}");
                Err(Error::new(what, wrong, "work that returns"))
            }
            Ending::Stuck => Err(Error::new(
                what,
                "it had not ended",
                "work that ends in time",
            )),
        }
    }
}

/// Runs `work` on a thread of its own and waits for it no longer than `limit`.
///
/// ```
/// use helpers::{Ending, attempt, parking_lot::Mutex};
/// use std::time::Duration;
/// assert_eq!(attempt(Duration::from_secs(5), || 1 + 1), Ending::Returned(2));
/// let twice = attempt(Duration::from_millis(100), || {
///     let lock = Mutex::new(0);
///     let _first = lock.lock();
///     drop(lock.lock());
/// });
/// assert_eq!(twice, Ending::Stuck);
/// ```
pub fn attempt<T: Send + 'static>(
    limit: Duration,
    work: impl FnOnce() -> T + Send + 'static,
) -> Ending<T> {
    let (report, result) = channel();
    let body = move || {
        // Nobody listens any more where it was too late.
        _ = report.send(catch_unwind(AssertUnwindSafe(work)));
    };
    if let Err(why) = std::thread::Builder::new().spawn(body) {
        return Ending::Panicked(format!("its thread did not start: {why}"));
    }
    match result.recv_timeout(limit) {
        Ok(Ok(found)) => Ending::Returned(found),
        Ok(Err(message)) => Ending::Panicked(words(&*message)),
        Err(_) => Ending::Stuck,
    }
}

fn words(message: &(dyn Any + Send)) -> String {
    let text = message.downcast_ref::<&str>().map(ToString::to_string);
    let text = text.or_else(|| message.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::resume_unwind;

    #[test]
    fn a_panic_is_told_with_its_words() {
        let limit = Duration::from_secs(5);
        let literal = attempt(limit, || resume_unwind(Box::new("halfway")));
        assert_eq!(literal, Ending::<()>::Panicked("halfway".into()));
        let owned = attempt(limit, || resume_unwind(Box::new(String::from("late"))));
        assert_eq!(owned, Ending::<()>::Panicked("late".into()));
        let other = attempt(limit, || resume_unwind(Box::new(7)));
        assert_eq!(other, Ending::<()>::Panicked("no message".into()));
    }
}
