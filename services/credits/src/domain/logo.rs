//! The picture of a provider on its certificates: small, and nothing but a picture.

use super::svg;
use crate::Error;

/// 256 KiB.
const LARGEST: usize = 256 << 10;
/// Pixels on a side of a PNG: 256 KiB can hold a picture that takes gigabytes to unpack.
const MOST_PIXELS: u32 = 2000;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// A logo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Logo {
    pub(super) media_type: &'static str,
    pub(super) content: Vec<u8>,
}

/// A number of the header of a PNG; the largest where it ends before.
fn side(png: &[u8], place: usize) -> u32 {
    png.get(place..place + 4).and_then(|bytes| bytes.try_into().ok()).map_or(u32::MAX, u32::from_be_bytes)
}

impl Logo {
    /// Nothing when there is no content; otherwise a PNG or an SVG that refers to nothing outside of itself.
    pub(super) fn of(content: Vec<u8>) -> Result<Option<Self>, Error> {
        let refused = |why: &str| Err(Error::field("logo", why));
        if content.is_empty() {
            return Ok(None);
        }
        if content.len() > LARGEST {
            return refused("must have at most 256 KiB");
        }
        if content.starts_with(PNG) {
            if side(&content, 16).max(side(&content, 20)) > MOST_PIXELS {
                return Err(Error::field(
                    "logo",
                    format!("must have at most {MOST_PIXELS} pixels on a side"),
                ));
            }
            return Ok(Some(Self { media_type: "image/png", content }));
        }
        let text = std::str::from_utf8(&content).map(|text| text.trim_start_matches('\u{feff}').trim_start());
        let Some(text) = text.ok().filter(|text| text.starts_with('<')) else {
            return refused("must be a PNG or an SVG");
        };
        svg::check(text).map_err(|why| Error::field("logo", why))?;
        Ok(Some(Self { media_type: "image/svg+xml", content }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_small_picture_that_refers_to_nothing() {
        let of = |content: &[u8]| Logo::of(content.to_vec());
        assert_eq!(of(b"").expect("none"), None);
        let png = |width: u32, height: u32| {
            [PNG, b"\0\0\0\rIHDR", &width.to_be_bytes(), &height.to_be_bytes()].concat()
        };
        assert_eq!(of(&png(400, 100)).expect("a picture").map(|logo| logo.media_type), Some("image/png"));
        let drawing =
            br#"<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>"#;
        assert_eq!(of(drawing).expect("a drawing").map(|logo| logo.media_type), Some("image/svg+xml"));
        for wrong in [
            &b"GIF89a"[..],
            b"<html><svg></svg></html>",
            b"<svg><SCRIPT>x</SCRIPT></svg>",
            b"<svg><image href='x'/></svg>",
            b"<!DOCTYPE svg [<!ENTITY a 'b'>]><svg/>",
            &png(400, 50_000),
            b"\x89PNG\r\n\x1a\n",
            b"<svg><g id='a'><path d='M0 0'/></g><g id='b'><use href='#a'/><use href='#a'/></g></svg>",
            b"<svg><use xlink:href=\"https://elsewhere.example/x\"/></svg>",
        ] {
            assert!(of(wrong).is_err(), "{}", String::from_utf8_lossy(wrong));
        }
        assert!(of(&[PNG, &vec![0; LARGEST]].concat()).is_err());
    }
}
