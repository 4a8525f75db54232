fn count_runs(ends_as_intended: impl Fn() -> Result<bool>) -> Result<usize> {
    within("RUNS", RUNS, 1..=10_000)?;
    let mut intended = 0;
    for _ in 0..RUNS { intended += usize::from(ends_as_intended()?); }
    Ok(intended)
}
