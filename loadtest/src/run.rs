//! Running a scenario: workers, closed and open loop, sweep, progress.
