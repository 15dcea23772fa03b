//! Header blocks, one after the other, through decoders that must stay in step.

use protocol::http2::head::{Decoder, Encoder, HeadError};
use protocol::limits::BlockLimits;
use protocol::message::{Field, Method, RequestHead, ResponseHead};

use crate::entries::outcome;

const LIMITS: BlockLimits = BlockLimits {
    max_list_bytes: 2048,
    max_target_bytes: 512,
    max_fields: 20,
    extended_connect: true,
};

const TABLE_BYTES: usize = 512;

/// Blocks, each behind a byte that says its length, read as requests, as answers and as trailers: what the table holds
/// in the end may not depend on which they were, nor on whether they were any good.
pub(in crate::entries) fn heads(bytes: &[u8]) -> u64 {
    let mut decoders = [(); 3].map(|()| Decoder::new(TABLE_BYTES));
    let mut passed_on = PassedOn::new();
    let mut causes = Vec::new();
    let mut rest = bytes;
    while let Some((len, after)) = rest.split_first() {
        let (block, after) = after.split_at(after.len().min(usize::from(*len)));
        rest = after;
        let [request, response, trailers] = &mut decoders;
        let results = [
            as_request(request, block, &mut passed_on),
            as_response(response, block),
            as_trailers(trailers, block),
        ];
        causes.push(results.map(|it| it.map_err(HeadError::cause)));
        let compression = results.map(|it| match it {
            Err(HeadError::Compression(error)) => Some(error.cause()),
            _ => None,
        });
        if results.contains(&Err(HeadError::Bomb)) {
            return outcome(causes);
        }
        assert!(
            compression.iter().all(|it| *it == compression[0]),
            "{results:?}"
        );
        if compression[0].is_some() {
            return outcome(causes);
        }
    }
    let tables = decoders.map(|mut decoder| held(&mut decoder));
    assert!(tables.iter().all(|table| *table == tables[0]));
    outcome((causes, tables[0].len()))
}

fn as_request(
    decoder: &mut Decoder,
    block: &[u8],
    passed_on: &mut PassedOn,
) -> Result<(), HeadError> {
    let (mut head, mut arena) = (RequestHead::new(), Vec::new());
    let end = block.len().is_multiple_of(2);
    decoder.request(block, end, &LIMITS, &mut head, &mut arena)?;
    sound(&head.fields, &arena);
    assert_eq!(head.len, arena.len());
    let view = head.view(&arena);
    assert!(!view.authority().is_empty() && !view.path().is_empty());
    if head.method != Method::Connect {
        passed_on.check(&head, &arena, end);
    }
    Ok(())
}

fn as_response(decoder: &mut Decoder, block: &[u8]) -> Result<(), HeadError> {
    let (mut head, mut arena) = (ResponseHead::new(), Vec::new());
    decoder.response(block, Method::Get, false, &LIMITS, &mut head, &mut arena)?;
    sound(&head.fields, &arena);
    assert!((100..=999).contains(&head.status) && head.status != 101);
    Ok(())
}

fn as_trailers(decoder: &mut Decoder, block: &[u8]) -> Result<(), HeadError> {
    let (mut fields, mut arena) = (Vec::new(), Vec::new());
    decoder.trailers(block, &LIMITS, &mut fields, &mut arena)?;
    sound(&fields, &arena);
    Ok(())
}

/// Fields are lines of the arena, and nothing in them could make two of one.
fn sound(fields: &[Field], arena: &[u8]) {
    for field in fields {
        let (name, value) = (field.name.of(arena), field.value.of(arena));
        assert!(!name.is_empty() && name.iter().all(|it| it.is_ascii_graphic() && *it != b':'));
        assert!(!name.iter().any(u8::is_ascii_uppercase));
        assert!(!value.iter().any(|byte| b"\r\n\0".contains(byte)));
        assert_eq!(value.trim_ascii(), value);
        let line = [name, b": ", value, b"\r\n"].concat();
        let start = field.name.range().start;
        assert_eq!(&arena[start..start + line.len()], line);
    }
}

/// The entries of a dynamic table, the newest first.
fn held(decoder: &mut Decoder) -> Vec<(Result<(), HeadError>, Vec<u8>)> {
    let (mut fields, mut arena) = (Vec::new(), Vec::new());
    let read = (62..127u8).map(|index| {
        let block = [0x80 | index];
        let result = decoder.trailers(&block, &LIMITS, &mut fields, &mut arena);
        let line = result.map(|()| arena.clone());
        (result, line.unwrap_or_default())
    });
    let is_entry =
        |it: &(Result<(), HeadError>, _)| !matches!(it.0, Err(HeadError::Compression(_)));
    read.take_while(is_entry).collect()
}

/// A connection on which requests go on: what was decoded is composed as text, encoded, and decoded again.
struct PassedOn {
    encoder: Encoder,
    decoder: Decoder,
}

impl PassedOn {
    fn new() -> Self {
        PassedOn {
            encoder: Encoder::new(),
            decoder: Decoder::new(4096),
        }
    }

    fn check(&mut self, head: &RequestHead, arena: &[u8], end: bool) {
        let view = head.view(arena);
        let mut text = [
            view.method_text(),
            b" ",
            head.target.of(arena),
            b" HTTP/1.1\r\n",
        ]
        .concat();
        for (_, name, value) in view.fields() {
            text.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
        }
        text.extend_from_slice(b"\r\n");
        let mut block = Vec::new();
        self.encoder.request(&text, b"https", &mut block);
        let (mut again, mut lines) = (RequestHead::new(), Vec::new());
        let roomy = BlockLimits {
            max_list_bytes: 1 << 16,
            ..LIMITS
        };
        let result = self
            .decoder
            .request(&block, end, &roomy, &mut again, &mut lines);
        assert_eq!(result, Ok(()), "{}", text.escape_ascii());
        let second = again.view(&lines);
        assert_eq!(second.method_text(), view.method_text());
        assert_eq!(second.authority(), view.authority());
        assert_eq!(again.target.of(&lines), head.target.of(arena));
        assert_eq!((second.path(), second.query()), (view.path(), view.query()));
        assert_eq!(
            (again.body, again.expect_continue),
            (head.body, head.expect_continue)
        );
        // The authority moves to the front.
        let fields = |head: &RequestHead, arena: &[u8]| {
            let mut fields: Vec<_> = head
                .view(arena)
                .fields()
                .map(|(_, name, value)| (name.to_vec(), value.to_vec()))
                .collect();
            fields.sort();
            fields
        };
        assert_eq!(fields(&again, &lines), fields(head, arena));
    }
}
