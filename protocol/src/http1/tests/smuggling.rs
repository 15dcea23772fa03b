//! What two parsers might read differently: line ends, names, lengths, codings. Both directions.

use super::*;
use crate::message::BodyLength;
use MessageError::*;

/// Faults of field lines that requests and answers share.
fn line_faults() -> Vec<(&'static str, MessageError)> {
    vec![
        ("Content-Length : 1", FieldName),
        ("Content-Length\t: 1", FieldName),
        (" Content-Length: 1", ObsoleteFold),
        ("X: y\r\n folded", ObsoleteFold),
        ("X: y\r\n\tfolded", ObsoleteFold),
        ("X:\r\n folded", ObsoleteFold),
        ("Transfer-Encoding:\r\n chunked", ObsoleteFold),
        (": empty", FieldName),
        ("no colon", FieldName),
        ("nocolon", FieldName),
        ("X: y\nContent-Length: 1", BareLineFeed),
        ("X: y\n", BareLineFeed),
        ("X: y\rContent-Length: 1", BareCarriageReturn),
        ("X: y\r\r\nZ: a", BareCarriageReturn),
        ("X: \rTransfer-Encoding: chunked", BareCarriageReturn),
        ("X\r: y", BareCarriageReturn),
        ("X\n: y", BareLineFeed),
        ("X: a\0b", ZeroByte),
        ("X\0: b", ZeroByte),
        ("X: a\x0bb", FieldValue),
        ("X: a\x7fb", FieldValue),
        ("Transfer-Encoding: \x0bchunked", FieldValue),
        ("Transfer-Encoding: \x0cchunked", FieldValue),
        ("Transfer\x01Encoding: chunked", FieldName),
        ("Transfer-Encod\u{131}ng: chunked", FieldName),
        ("\"Content-Length\": 1", FieldName),
        ("Content Length: 1", FieldName),
        ("Content_Length: 1", DisguisedFramingField),
        ("transfer_ENCODING: chunked", DisguisedFramingField),
        // Lengths.
        ("Content-Length:", ContentLength),
        ("Content-Length: +1", ContentLength),
        ("Content-Length: -1", ContentLength),
        ("Content-Length: 0x1", ContentLength),
        ("Content-Length: 1_0", ContentLength),
        ("Content-Length: 1.0", ContentLength),
        ("Content-Length: 1 0", ContentLength),
        ("Content-Length: 1e3", ContentLength),
        ("Content-Length: \"1\"", ContentLength),
        ("Content-Length: \u{661}", ContentLength),
        ("Content-Length: 9223372036854775808", ContentLength),
        ("Content-Length: 18446744073709551617", ContentLength),
        ("Content-Length: 99999999999999999999999", ContentLength),
        ("Content-Length: 5, 5", RepeatedContentLength),
        ("Content-Length: 5,", RepeatedContentLength),
        ("Content-Length: ,5", RepeatedContentLength),
        ("Content-Length: 5x, 5", ContentLength),
        ("Content-Length: 9223372036854775808, 5", ContentLength),
        (
            "Content-Length: 5\r\nContent-Length: 5",
            RepeatedContentLength,
        ),
        (
            "Content-Length: 5\r\nX: y\r\ncontent-length: 6",
            RepeatedContentLength,
        ),
        // Codings.
        (
            "Transfer-Encoding: chunked\r\nContent-Length: 5",
            TransferEncodingWithContentLength,
        ),
        (
            "Content-Length: 0\r\nTransfer-Encoding: chunked",
            TransferEncodingWithContentLength,
        ),
        ("Transfer-Encoding:", TransferEncoding),
        ("Transfer-Encoding: ,", TransferEncoding),
        ("Transfer-Encoding: ,chunked", TransferEncoding),
        ("Transfer-Encoding: chunked,", ChunkedNotFinal),
        ("Transfer-Encoding: chunked;a=b", TransferEncoding),
        ("Transfer-Encoding: \"chunked\"", TransferEncoding),
        ("Transfer-Encoding: chunked chunked", TransferEncoding),
        ("Transfer-Encoding: chunked \u{e9}", TransferEncoding),
        ("Transfer-Encoding: chunked, chunked", ChunkedNotFinal),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            ChunkedNotFinal,
        ),
        ("Transfer-Encoding: chunked, identity", ChunkedNotFinal),
        (
            "Transfer-Encoding: gzip, chunked, identity",
            ChunkedNotFinal,
        ),
        (
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip",
            ChunkedNotFinal,
        ),
        ("Transfer-Encoding: gzip", UnknownTransferCoding),
        ("Transfer-Encoding: gzip, chunked", UnknownTransferCoding),
        (
            "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked",
            UnknownTransferCoding,
        ),
        ("Transfer-Encoding: identity", UnknownTransferCoding),
        (
            "Transfer-Encoding: identity, chunked",
            UnknownTransferCoding,
        ),
        ("Transfer-Encoding: xchunked", UnknownTransferCoding),
        ("Transfer-Encoding: chunkedx", UnknownTransferCoding),
        ("Transfer-Encoding: cow", UnknownTransferCoding),
    ]
}

#[test]
fn requests_with_faulty_lines_are_refused() {
    for (lines, fault) in line_faults() {
        bad_request(with_lines(lines), fault.into());
        let status = if fault == UnknownTransferCoding {
            501
        } else {
            400
        };
        assert_eq!(RequestError::from(fault).status(), status);
    }
    // The same lines before Host: none of it depends on the order.
    for (lines, fault) in line_faults() {
        bad_request(
            format!("POST / HTTP/1.1\r\n{lines}\r\nHost: a\r\n\r\n"),
            fault.into(),
        );
    }
}

#[test]
fn answers_with_faulty_lines_are_refused() {
    for (lines, fault) in line_faults() {
        bad_response(
            format!("HTTP/1.1 200 OK\r\nServer: a\r\n{lines}\r\n\r\n"),
            fault.into(),
        );
        bad_response(
            format!("HTTP/1.1 200 OK\r\n{lines}\r\nServer: a\r\n\r\n"),
            fault.into(),
        );
    }
}

#[test]
fn transfer_encoding_has_no_place_in_http_1_0() {
    bad_request(
        "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
        TransferEncodingInHttp10.into(),
    );
    bad_response(
        "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        TransferEncodingInHttp10.into(),
    );
}

#[test]
fn line_feeds_alone_end_nothing() {
    for text in [
        "GET / HTTP/1.1\nHost: a\n\n",
        "GET / HTTP/1.1\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\n",
        "GET / HTTP/1.1\r\nHost: a\n\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX: y\n\r\n",
        "GET / HTTP/1.0\n\n",
        "GET / HTTP/1.0\n\r\n",
        "GET / HTTP/1.0\r\n\n",
    ] {
        bad_request(text, BareLineFeed.into());
    }
    // Seen without waiting for the end of the head.
    for text in ["GET / HTTP/1.1\n", "GET / HTTP/1.1\r\nHost: a\n"] {
        assert_eq!(request(text).err(), Some(BareLineFeed.into()), "{text:?}");
    }
    for text in [
        "HTTP/1.1 200 OK\nA: b\n\n",
        "HTTP/1.1 200 OK\n\n",
        "HTTP/1.1 200\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\n\r\n",
        "HTTP/1.1 200 OK\r\nA: b\r\n\n",
        "HTTP/1.1 200 OK\r\n\n",
    ] {
        bad_response(text, BareLineFeed.into());
    }
}

#[test]
fn carriage_returns_alone_end_nothing() {
    for text in [
        "GET / HTTP/1.1\rHost: a\r\r",
        "GET / HTTP/1.1\r\rHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\n\rX",
        "GET / HTTP/1.1\r\nHost: a\r\r\n\r\n",
    ] {
        bad_request(text, BareCarriageReturn.into());
    }
}

#[test]
fn lengths_that_are_sound() {
    for (lines, expected) in [
        ("X: y", BodyLength::None),
        ("Content-Length: 0", BodyLength::Exact(0)),
        ("Content-Length:5", BodyLength::Exact(5)),
        ("CONTENT-LENGTH: \t 007 \t", BodyLength::Exact(7)),
        (
            "Content-Length: 9223372036854775807",
            BodyLength::Exact(i64::MAX as u64),
        ),
        ("Transfer-Encoding: chunked", BodyLength::Chunked),
        ("transfer-encoding:\tCHUNKED ", BodyLength::Chunked),
    ] {
        let head = good_request(with_lines(lines));
        assert_eq!(head.body, expected, "{lines}");
    }
}
