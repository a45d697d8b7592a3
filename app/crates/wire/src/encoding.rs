//! Decompression of request bodies, streamed under a limit on what comes out.

use crate::WireError;
use brotli_decompressor::{BrotliDecoderParameter, Decompressor};
use flate2::bufread::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use flate2::{Crc, Decompress, FlushDecompress, Status};
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};
use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Read;

/// Largest request body that is read, in bytes as sent. An envelope may carry attachments beside
/// its event (they are dropped), and browsers and Rust send uncompressed, so it is no smaller than
/// [`MAX_DECODED`].
pub const MAX_BODY: usize = 8 * 1024 * 1024;

/// Largest body after decompression, in bytes. A Python event with one 2 MB local variable is 5 kB
/// on the wire and 2.1 MB in JSON (clients no longer cut strings): 4 MB would keep it, twice that
/// leaves room for an attachment, and a few such requests at a time do not fill a small server.
pub const MAX_DECODED: usize = 8 * 1024 * 1024;

/// Most memory set aside on a sender's word, in bytes: gzip's trailer says how long the content is,
/// but anyone can write one. Typical events fit.
const MAX_PRESIZED: usize = 256 * 1024;

/// Least memory set aside for what comes out, in bytes.
const MIN_PRESIZED: usize = 4 * 1024;

/// What a deflated text is assumed to grow by where its length is not written down: real events
/// grow 3 to 8 times.
const USUAL_RATIO: usize = 6;

/// Room beyond the end of an inflated text, in bytes: where there is less than the longest match
/// has, each of its bytes is looked at by itself.
const SLACK: usize = 300;

/// Largest window of deflate, as a power of two: what every client's is no larger than.
const WINDOW_BITS: u8 = 15;

/// How gzip begins where its header says nothing more, as that of every client (RFC 1952: magic,
/// deflate, no flags).
const PLAIN_HEADER: [u8; 4] = [0x1f, 0x8b, 8, 0];
/// Bytes of such a header, and of a trailer.
const GZIP_HEADER: usize = 10;
const GZIP_TRAILER: usize = 8;

/// Buffer of the brotli decoder, in bytes: typical bodies are 2 to 6 kB, so that one or two reads
/// do.
const BROTLI_BUFFER: usize = 8 * 1024;

/// Largest window of a zstd frame, in bytes: the 8 MiB that RFC 8878 recommends to support, since
/// it is allocated at once. (That of brotli has 16 MiB at most, as RFC 7932 has it: those of "large
/// windows" have a gigabyte.)
const MAX_WINDOW: u64 = 8 * 1024 * 1024;

/// Frames of one zstd body: its format allows any number, and each costs a start. Clients send one.
const MAX_FRAMES: usize = 100;

/// The compressions that are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// Decompresses `body` by its `Content-Encoding` (`None`, empty or `identity`: borrowed as it is),
/// to at most `limit` bytes, and holds no more memory than these and a decoder's window on the way.
///
/// `gzip` may have several members. `deflate` is the zlib format, as the HTTP specification has it
/// and raven sends it; raw deflate is taken as well, because many clients mistake the one for the
/// other.
///
/// # Errors
/// [`WireError::UnknownEncoding`], [`WireError::TooLarge`] as soon as the limit is passed,
/// [`WireError::Malformed`] for bytes that are cut off or are not in the format named.
pub fn decode<'a>(encoding: Option<&str>, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, WireError> {
    let guess = body.len().saturating_mul(USUAL_RATIO);
    let decoded = match named(encoding)? {
        Encoding::Plain if body.len() > limit => return Err(WireError::TooLarge { limit }),
        Encoding::Plain => return Ok(Cow::Borrowed(body)),
        Encoding::Gzip => gzip(body, limit),
        Encoding::Deflate => deflate(body, guess, limit),
        Encoding::Brotli => read("brotli", brotli(body), guess, limit),
        Encoding::Zstd => zstd(body, guess, limit),
    };
    decoded.map(Cow::Owned)
}

/// The first bytes that come out of a body of which only the beginning is there: at most `limit`,
/// and none where it is no such compression at all, which [`decode`] says of the whole. Of zstd
/// nothing comes out before a window is full, or all is there.
///
/// # Errors
/// [`WireError::UnknownEncoding`].
pub fn beginning<'a>(encoding: Option<&str>, body: &'a [u8], limit: usize) -> Result<Cow<'a, [u8]>, WireError> {
    let decoded = match named(encoding)? {
        Encoding::Plain => return Ok(Cow::Borrowed(&body[..body.len().min(limit)])),
        Encoding::Gzip => read_what_comes(MultiGzDecoder::new(body), limit),
        Encoding::Deflate if looks_like_zlib(body) => read_what_comes(ZlibDecoder::new(body), limit),
        Encoding::Deflate => read_what_comes(DeflateDecoder::new(body), limit),
        Encoding::Brotli => read_what_comes(brotli(body), limit),
        Encoding::Zstd => StreamingDecoder::new_with_max_window_size(body, MAX_WINDOW)
            .map_or_else(|_| Vec::new(), |decoder| read_what_comes(decoder, limit)),
    };
    Ok(Cow::Owned(decoded))
}

/// Text without the byte order mark that some programs begin UTF-8 with. JSON has none, and its
/// readers may pass over one (RFC 8259, 8.1).
pub(crate) fn without_bom(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// The compression that a `Content-Encoding` names.
fn named(encoding: Option<&str>) -> Result<Encoding, WireError> {
    let text = encoding.unwrap_or("").trim();
    let is = |name: &str, other: &str| name.eq_ignore_ascii_case(other);
    let mut names = text.split(',').map(str::trim).filter(|name| !name.is_empty() && !is(name, "identity"));
    let unknown = || WireError::UnknownEncoding(text.to_owned());
    let encoding = match names.next() {
        None => Encoding::Plain,
        Some(name) if is(name, "gzip") || is(name, "x-gzip") => Encoding::Gzip,
        Some(name) if is(name, "deflate") => Encoding::Deflate,
        Some(name) if is(name, "br") => Encoding::Brotli,
        Some(name) if is(name, "zstd") => Encoding::Zstd,
        Some(_) => return Err(unknown()),
    };
    // Nothing that reports errors compresses twice; only an attack would.
    if names.next().is_some() { Err(unknown()) } else { Ok(encoding) }
}

/// The length that gzip's trailer claims (RFC 1952: ISIZE, the last four bytes, little-endian).
fn gzip_length(body: &[u8]) -> usize {
    body.last_chunk::<4>().map_or(0, |bytes| u32::from_le_bytes(*bytes) as usize)
}

/// Whether the first two bytes are zlib's header (RFC 1950: method 8, a multiple of 31).
fn looks_like_zlib(body: &[u8]) -> bool {
    matches!(body, [first, second, ..]
        if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]).is_multiple_of(31))
}

/// Zlib where it looks like it, raw deflate otherwise or after all.
fn deflate(body: &[u8], guess: usize, limit: usize) -> Result<Vec<u8>, WireError> {
    let as_zlib = |is_zlib: bool| {
        let mut decoded = presized(guess, limit);
        inflate(&mut decoded, "deflate", &mut Decompress::new(is_zlib), body, limit)?;
        Ok(decoded)
    };
    if !looks_like_zlib(body) {
        return as_zlib(false);
    }
    match as_zlib(true) {
        Err(error @ WireError::Malformed { .. }) => as_zlib(false).map_err(|_| error),
        other => other,
    }
}

thread_local! {
    /// Inflates what has no header, again and again: its tables and window have some 48 kB.
    static INFLATER: RefCell<Decompress> = RefCell::new(Decompress::new(false));
}

/// A gzip member, as clients send it, and further ones, as the format allows.
fn gzip(body: &[u8], limit: usize) -> Result<Vec<u8>, WireError> {
    let mut decoded = presized(gzip_length(body), limit);
    let rest = match body.strip_prefix(&PLAIN_HEADER).and_then(|rest| rest.get(GZIP_HEADER - PLAIN_HEADER.len()..)) {
        Some(deflated) => {
            let inflated = INFLATER.with_borrow_mut(|inflater| {
                inflater.reset(false);
                inflate(&mut decoded, "gzip", inflater, deflated, limit)
            });
            without_trailer(inflated?, &decoded)?
        }
        None => inflate(&mut decoded, "gzip", &mut Decompress::new_gzip(WINDOW_BITS), body, limit)?,
    };
    if !rest.is_empty() {
        read_into(&mut decoded, "gzip", MultiGzDecoder::new(rest), limit)?;
    }
    Ok(decoded)
}

/// What follows a member's trailer, which has to be of this text (RFC 1952: CRC32, ISIZE).
fn without_trailer<'b>(rest: &'b [u8], decoded: &[u8]) -> Result<&'b [u8], WireError> {
    let mut crc = Crc::new();
    crc.update(decoded);
    match rest.split_first_chunk::<GZIP_TRAILER>() {
        Some((trailer, rest)) if *trailer == [crc.sum().to_le_bytes(), crc.amount().to_le_bytes()].concat()[..] => {
            Ok(rest)
        }
        Some(_) => Err(WireError::malformed("the body is not valid gzip: its checksum is another")),
        None => Err(WireError::malformed("the body is not valid gzip: it ends before its time")),
    }
}

/// Appends all that a deflated text holds, as long as there are at most `limit` bytes then; gives
/// what follows it. Where all of it has room, it is written there in one go: a reader that asks for
/// a part at a time has each copied into the decoder's own window as well, and costs twice as much.
fn inflate<'b>(
    decoded: &mut Vec<u8>,
    name: &str,
    decoder: &mut Decompress,
    body: &'b [u8],
    limit: usize,
) -> Result<&'b [u8], WireError> {
    loop {
        let rest = &body[position(decoder.total_in())..];
        let room = decoded.capacity() - decoded.len();
        let before = decoder.total_out();
        let status = decoder
            .decompress_vec(rest, decoded, FlushDecompress::Finish)
            .map_err(|error| WireError::malformed(format!("the body is not valid {name}: {error}")))?;
        if decoded.len() > limit {
            return Err(WireError::TooLarge { limit });
        }
        if status == Status::StreamEnd {
            return Ok(&body[position(decoder.total_in())..]);
        }
        if position(decoder.total_out() - before) < room {
            return Err(WireError::malformed(format!("the body is not valid {name}: it ends before its time")));
        }
        grow(decoded, limit);
    }
}

/// A count of bytes that are in memory.
fn position(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

fn brotli(body: &[u8]) -> Decompressor<&[u8]> {
    let mut decoder = Decompressor::new(body, BROTLI_BUFFER);
    decoder.set_parameter(BrotliDecoderParameter::BROTLI_DECODER_PARAM_LARGE_WINDOW, 0);
    decoder
}

/// One or more zstd frames, one after the other, as the format allows.
fn zstd(body: &[u8], guess: usize, limit: usize) -> Result<Vec<u8>, WireError> {
    let mut rest = body;
    let mut decoded = presized(guess, limit);
    // One for all frames: each has tables and a window.
    let mut tables = FrameDecoder::new();
    tables.set_max_window_size(MAX_WINDOW);
    for _ in 0..MAX_FRAMES {
        let before = decoded.len();
        let decoder = StreamingDecoder::new_with_decoder(&mut rest, &mut tables)
            .map_err(|error| WireError::malformed(format!("the body is not valid zstd: {error}")))?;
        read_into(&mut decoded, "zstd", decoder, limit)?;
        if rest.is_empty() || decoded.len() == before {
            return Ok(decoded);
        }
    }
    Err(WireError::malformed(format!("the body has more than {MAX_FRAMES} zstd frames: send one")))
}

/// Reads all that `decoder` gives, as long as it is at most `limit` bytes.
fn read(name: &str, decoder: impl Read, expected: usize, limit: usize) -> Result<Vec<u8>, WireError> {
    let mut decoded = presized(expected, limit);
    read_into(&mut decoded, name, decoder, limit)?;
    Ok(decoded)
}

/// Room for what is expected, and some more to see its end by.
fn presized(expected: usize, limit: usize) -> Vec<u8> {
    Vec::with_capacity(expected.saturating_add(SLACK).clamp(MIN_PRESIZED, MAX_PRESIZED).min(limit.saturating_add(1)))
}

/// Makes room for more: it doubles, but never beyond the limit, and one byte more than allowed is
/// enough to know.
fn grow(decoded: &mut Vec<u8>, limit: usize) {
    let most = limit.saturating_add(1);
    decoded.reserve_exact(decoded.capacity().max(MIN_PRESIZED).min(most - decoded.len()));
}

/// Appends all that `decoder` gives, as long as there are at most `limit` bytes then. The memory
/// doubles with what comes, but never beyond the limit.
fn read_into(decoded: &mut Vec<u8>, name: &str, mut decoder: impl Read, limit: usize) -> Result<(), WireError> {
    // One byte more than allowed is enough to know.
    let most = limit.saturating_add(1);
    loop {
        let room = decoded.capacity().min(most) - decoded.len();
        let came = decoder
            .by_ref()
            .take(room as u64)
            .read_to_end(decoded)
            .map_err(|error| WireError::malformed(format!("the body is not valid {name}: {error}")))?;
        if decoded.len() > limit {
            return Err(WireError::TooLarge { limit });
        }
        if came < room {
            return Ok(());
        }
        grow(decoded, limit);
    }
}

/// Reads what `decoder` gives until it fails or ends, at most `limit` bytes.
fn read_what_comes(decoder: impl Read, limit: usize) -> Vec<u8> {
    let mut decoded = presized(0, limit);
    // What came before the failure stays.
    let _ = decoder.take(limit as u64).read_to_end(&mut decoded);
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use std::io::Write;

    const TEXT: &[u8] = b"{\"exception\":{}} {\"exception\":{}} {\"exception\":{}}";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn reads_gzip_with_several_members() {
        let body = [gzip(TEXT), gzip(TEXT)].concat();
        assert_eq!(decode(Some("gzip"), &body, 1_000).unwrap().as_ref(), [TEXT, TEXT].concat());
        assert_eq!(decode(Some(" GZIP , identity"), &gzip(TEXT), 1_000).unwrap().as_ref(), TEXT);
    }

    #[test]
    fn gzip_is_held_to_its_header_and_trailer() {
        let plain = gzip(TEXT);
        assert!(plain.starts_with(&PLAIN_HEADER));
        // A file's name in the header.
        let mut named = plain.clone();
        named[3] = 8;
        named.splice(GZIP_HEADER..GZIP_HEADER, *b"cart.json\0");
        for body in [&plain, &named] {
            assert_eq!(decode(Some("gzip"), body, 1_000).unwrap().as_ref(), TEXT);
            let ends = |length: usize| decode(Some("gzip"), &body[..length], 1_000);
            assert!((0..body.len()).all(|length| matches!(ends(length), Err(WireError::Malformed { .. }))));
            for at in body.len() - GZIP_TRAILER..body.len() {
                let mut wrong = body.clone();
                wrong[at] ^= 1;
                assert!(matches!(decode(Some("gzip"), &wrong, 1_000), Err(WireError::Malformed { .. })), "{at}");
            }
            let behind = [body.as_slice(), b"garbage"].concat();
            assert!(matches!(decode(Some("gzip"), &behind, 1_000), Err(WireError::Malformed { .. })));
        }
        assert_eq!(decode(Some("gzip"), &plain, 1_000).unwrap().as_ref(), TEXT, "after all these failures");
    }

    #[test]
    fn reads_deflate_with_and_without_zlib_header() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::default());
        zlib.write_all(TEXT).unwrap();
        assert_eq!(decode(Some("deflate"), &zlib.finish().unwrap(), 1_000).unwrap().as_ref(), TEXT);
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(TEXT).unwrap();
        assert_eq!(decode(Some("deflate"), &raw.finish().unwrap(), 1_000).unwrap().as_ref(), TEXT);
    }

    #[test]
    fn reads_zstd_frames() {
        let one = ruzstd::encoding::compress_to_vec(TEXT, ruzstd::encoding::CompressionLevel::Fastest);
        assert_eq!(decode(Some("zstd"), &one, 1_000).unwrap().as_ref(), TEXT);
        let two = [one.clone(), one.clone()].concat();
        assert_eq!(decode(Some("zstd"), &two, 1_000).unwrap().as_ref(), [TEXT, TEXT].concat());
        assert_eq!(decode(Some("zstd"), &two, TEXT.len() + 1), Err(WireError::TooLarge { limit: TEXT.len() + 1 }));
    }

    #[test]
    fn plain_bodies_are_borrowed() {
        for encoding in [None, Some(""), Some("identity")] {
            assert!(matches!(decode(encoding, TEXT, 1_000).unwrap(), Cow::Borrowed(TEXT)));
        }
        assert_eq!(decode(None, TEXT, 3), Err(WireError::TooLarge { limit: 3 }));
    }

    #[test]
    fn no_more_memory_is_held_than_allowed() {
        const LIMIT: usize = 3_000_000;
        let text = vec![b'a'; LIMIT];
        for (name, body) in packed(&text) {
            let Cow::Owned(decoded) = decode(Some(name), &body, LIMIT).unwrap() else { panic!("{name} is packed") };
            assert_eq!(
                (decoded.len(), decoded.capacity() <= LIMIT + 1),
                (LIMIT, true),
                "{name}: {}",
                decoded.capacity()
            );
            assert_eq!(decode(Some(name), &body, LIMIT - 1), Err(WireError::TooLarge { limit: LIMIT - 1 }), "{name}");
        }
        // A trailer that claims four gigabytes.
        let mut claims = gzip(TEXT);
        let end = claims.len();
        claims[end - 4..].fill(0xff);
        assert!(presized(gzip_length(&claims), LIMIT).capacity() <= MAX_PRESIZED);
    }

    #[test]
    fn windows_of_a_gigabyte_are_refused() {
        // A first byte of 0x11 announces brotli's large window, six bits its size: 30. An `a` as it
        // is follows, and the end; with a window of 2^16, which is one bit, the same is read.
        let large = [0x11, 0x1e, 0x00, 0x00, 0x02, b'a', 0x03];
        assert!(matches!(decode(Some("br"), &large, 1_000), Err(WireError::Malformed { .. })));
        assert_eq!(decode(Some("br"), &[0x00, 0x00, 0x10, b'a', 0x03], 1_000).unwrap().as_ref(), b"a");
        // A zstd frame whose window descriptor says 2^30.
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 20 << 3, 0x09, 0x00, 0x00, b'a'];
        assert!(matches!(decode(Some("zstd"), &frame, 1_000), Err(WireError::Malformed { .. })));
        // Of 2^24, twice the largest that is taken; of 2^23, that one.
        let window = |exponent: u8| [0x28, 0xb5, 0x2f, 0xfd, 0x00, (exponent - 10) << 3, 0x09, 0x00, 0x00, b'a'];
        assert!(matches!(decode(Some("zstd"), &window(24), 1_000), Err(WireError::Malformed { .. })));
        assert_eq!(decode(Some("zstd"), &window(23), 1_000).unwrap().as_ref(), b"a");
        let frame = window(20);
        assert_eq!(decode(Some("zstd"), &frame, 1_000).unwrap().as_ref(), b"a");
        let many = frame.repeat(MAX_FRAMES + 1);
        assert!(decode(Some("zstd"), &many, 1_000_000).unwrap_err().to_string().contains("zstd frames"));
    }

    /// The text in each compression, by its name.
    fn packed(text: &[u8]) -> [(&'static str, Vec<u8>); 3] {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::best());
        zlib.write_all(text).unwrap();
        let zstd = ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest);
        [("gzip", gzip(text)), ("deflate", zlib.finish().unwrap()), ("zstd", zstd)]
    }

    #[test]
    fn a_body_that_is_still_coming_shows_its_beginning() {
        let line = [TEXT, b"\n", &noise(400_000)].concat();
        for (name, body) in packed(&line) {
            // Of zstd nothing comes out before the end.
            let end = if name == "zstd" { body.len() } else { body.len() / 2 };
            let first = beginning(Some(name), &body[..end], TEXT.len()).unwrap();
            assert_eq!(first.as_ref(), TEXT, "{name}");
            assert!(beginning(Some(name), b"", 99).unwrap().is_empty());
            assert!(beginning(Some(name), b"\xff\xfe\xfd garbage", 99).unwrap().is_empty(), "{name}");
        }
        assert_eq!(beginning(None, TEXT, 3).unwrap().as_ref(), &TEXT[..3]);
        assert!(matches!(beginning(Some("lzma"), TEXT, 3), Err(WireError::UnknownEncoding(_))));
    }

    /// Bytes that no compression makes shorter.
    fn noise(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        };
        std::iter::repeat_with(next).take(length).collect()
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let bomb = gzip(&vec![b'a'; 3_000_000]);
        assert!(bomb.len() < 5_000);
        assert_eq!(decode(Some("gzip"), &bomb, 1_000_000), Err(WireError::TooLarge { limit: 1_000_000 }));
        assert_eq!(decode(Some("gzip"), &bomb, 3_000_000).unwrap().len(), 3_000_000);
    }

    #[test]
    fn says_what_is_wrong() {
        let cut = gzip(TEXT);
        let error = decode(Some("gzip"), &cut[..cut.len() - 9], 1_000).unwrap_err().to_string();
        assert!(error.starts_with("the body is not valid gzip"), "{error}");
        for encoding in ["gzip", "deflate", "br", "zstd"] {
            for garbage in [&b""[..], b"\xff\xfe\xfd not compressed at all"] {
                assert!(
                    matches!(decode(Some(encoding), garbage, 1_000), Err(WireError::Malformed { .. })),
                    "{encoding} {garbage:?}"
                );
            }
        }
        for unknown in ["compress", "gzip, gzip"] {
            assert_eq!(decode(Some(unknown), TEXT, 1_000), Err(WireError::UnknownEncoding(unknown.to_owned())));
        }
    }
}
