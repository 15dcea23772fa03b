//! Dates of the calendar as Unix time; reading them off a clock, or a text, lives elsewhere.

/// The second of a year, month and day, at an hour, minute and second, all UTC; `None` when the calendar
/// has no such moment, or it lies before 1970.
pub fn unix_seconds(date: [u64; 3], time: [u64; 3]) -> Option<u64> {
    let ([year, month, day], [hour, minute, second]) = (date, time);
    let leap = |year: u64| {
        year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
    };
    let february = if leap(year) { 29 } else { 28 };
    let months = [31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let length = *months.get(usize::try_from(month.checked_sub(1)?).ok()?)?;
    let in_range = (1970..=9999).contains(&year) && (1..=length).contains(&day);
    if !in_range || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let years: u64 = (1970..year)
        .map(|year| if leap(year) { 366 } else { 365 })
        .sum();
    let earlier: u64 = months.iter().take(usize::try_from(month).ok()? - 1).sum();
    Some((((years + earlier + day - 1) * 24 + hour) * 60 + minute) * 60 + second)
}
