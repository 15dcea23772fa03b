//! Calendar text from Unix time, written without formatting machinery.
//!
//! Civil dates follow Howard Hinnant's `civil_from_days`, valid for every u64 second the clock gives.

/// Year, month (1 to 12) and day (1 to 31) of a day counted from 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let z = days + 719_468;
    let era = z / 146_097;
    let day_of_era = z % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

fn digits(out: &mut Vec<u8>, value: u64, width: u32) {
    for place in (0..width).rev() {
        out.push(b'0' + (value / 10_u64.pow(place) % 10) as u8);
    }
}

/// Appends an IMF-fixdate, `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110 section 5.6.7).
pub(crate) fn imf_fixdate(unix: u64, out: &mut Vec<u8>) {
    const DAYS: &[u8; 21] = b"ThuFriSatSunMonTueWed";
    const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let days = unix / 86_400;
    let (year, month, day) = civil(days);
    let at = (days % 7 * 3) as usize;
    out.extend_from_slice(DAYS.get(at..at + 3).unwrap_or_default());
    out.extend_from_slice(b", ");
    digits(out, day, 2);
    out.push(b' ');
    let at = ((month - 1) * 3) as usize;
    out.extend_from_slice(MONTHS.get(at..at + 3).unwrap_or_default());
    out.push(b' ');
    digits(out, year, 4);
    out.push(b' ');
    clock_time(unix, out);
    out.extend_from_slice(b" GMT");
}

/// Appends RFC 3339 in UTC with milliseconds, `1994-11-06T08:49:37.000Z`.
pub(crate) fn rfc3339_millis(unix_millis: u64, out: &mut Vec<u8>) {
    let unix = unix_millis / 1000;
    let (year, month, day) = civil(unix / 86_400);
    digits(out, year, 4);
    out.push(b'-');
    digits(out, month, 2);
    out.push(b'-');
    digits(out, day, 2);
    out.push(b'T');
    clock_time(unix, out);
    out.push(b'.');
    digits(out, unix_millis % 1000, 3);
    out.push(b'Z');
}

fn clock_time(unix: u64, out: &mut Vec<u8>) {
    let second = unix % 86_400;
    digits(out, second / 3_600, 2);
    out.push(b':');
    digits(out, second / 60 % 60, 2);
    out.push(b':');
    digits(out, second % 60, 2);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(unix: u64, fixdate: &str, rfc3339: &str) {
        let mut out = Vec::new();
        imf_fixdate(unix, &mut out);
        assert_eq!(std::str::from_utf8(&out), Ok(fixdate));
        out.clear();
        rfc3339_millis(unix * 1000 + 7, &mut out);
        assert_eq!(std::str::from_utf8(&out), Ok(rfc3339));
    }

    #[test]
    fn known_dates() {
        check(
            784_111_777,
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "1994-11-06T08:49:37.007Z",
        );
        check(
            0,
            "Thu, 01 Jan 1970 00:00:00 GMT",
            "1970-01-01T00:00:00.007Z",
        );
        check(
            951_782_400,
            "Tue, 29 Feb 2000 00:00:00 GMT",
            "2000-02-29T00:00:00.007Z",
        );
        check(
            4_107_542_399,
            "Sun, 28 Feb 2100 23:59:59 GMT",
            "2100-02-28T23:59:59.007Z",
        );
    }
}
