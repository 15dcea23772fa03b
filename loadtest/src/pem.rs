//! PEM as it stands in files of certificates and keys: labelled blocks of base64 (RFC 7468). What is in them is read elsewhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// A block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Block<'a> {
    /// What stands behind `BEGIN`.
    pub(crate) label: &'a str,
    pub(crate) der: Vec<u8>,
}

/// The blocks of a text, in order; text around them is passed over.
///
/// # Errors
/// What is wrong, as a clause.
pub(crate) fn blocks(bytes: &[u8]) -> Result<Vec<Block<'_>>, &'static str> {
    let text = std::str::from_utf8(bytes).map_err(|_| "it is not PEM: not even text")?;
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
        let (label, after) = begun.split_once("-----").ok_or(BROKEN)?;
        let (body, after) = after.split_once("-----END ").ok_or(BROKEN)?;
        let base64: String = body.split_whitespace().collect();
        rest = after
            .strip_prefix(label)
            .and_then(|it| it.strip_prefix("-----"))
            .ok_or(BROKEN)?;
        if body.contains("ENCRYPTED") || label.contains("ENCRYPTED") {
            return Err("it is encrypted");
        }
        let der = STANDARD.decode(base64).map_err(|_| BROKEN)?;
        found.push(Block { label, der });
    }
    Ok(found)
}

/// The certificates of a text: at least one.
///
/// # Errors
/// What is wrong, as a clause.
pub(crate) fn certificates(bytes: &[u8]) -> Result<Vec<Vec<u8>>, &'static str> {
    let blocks = blocks(bytes)?.into_iter();
    let found: Vec<_> = blocks
        .filter(|block| matches!(block.label, "CERTIFICATE" | "TRUSTED CERTIFICATE"))
        .map(|block| block.der)
        .collect();
    match found.is_empty() {
        true => Err("no certificate is in it (-----BEGIN CERTIFICATE-----)"),
        false => Ok(found),
    }
}

/// The first private key of a text: PKCS #8, PKCS #1 or SEC 1.
///
/// # Errors
/// What is wrong, as a clause.
pub(crate) fn private_key(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
    let mut blocks = blocks(bytes)?.into_iter();
    let key = blocks.find(|block| block.label.ends_with("PRIVATE KEY"));
    key.map(|block| block.der)
        .ok_or("no private key is in it (-----BEGIN PRIVATE KEY-----)")
}

const BROKEN: &str = "a block of it is not whole PEM";

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "subject=x\n-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\r\n\
        -----BEGIN EC PARAMETERS-----\nAA==\n-----END EC PARAMETERS-----\n\
        -----BEGIN EC PRIVATE KEY-----\nBA\nU=\n-----END EC PRIVATE KEY-----\n\
        -----BEGIN CERTIFICATE-----\nBg==\n-----END CERTIFICATE-----\n";

    #[test]
    fn blocks_are_found_by_their_labels() {
        let found = certificates(TEXT.as_bytes());
        assert_eq!(found, Ok(vec![vec![1, 2, 3], vec![6]]));
        assert_eq!(private_key(TEXT.as_bytes()), Ok(vec![4, 5]));
    }

    #[test]
    fn what_is_broken_is_told() {
        let check = |text: &str| assert_eq!(blocks(text.as_bytes()), Err(BROKEN), "{text}");
        check(TEXT.split_at(60).0);
        check(&TEXT.replace("AQID", "AQI*"));
        check(&TEXT.replace("END CERTIFICATE", "END KEY"));
        check(&TEXT.replace("-----END", "----"));
        assert!(certificates(b"nothing").is_err());
        assert!(private_key(b"\xff").is_err());
        let encrypted = TEXT.replace("EC PRIVATE", "ENCRYPTED PRIVATE");
        assert_eq!(private_key(encrypted.as_bytes()), Err("it is encrypted"));
    }
}
