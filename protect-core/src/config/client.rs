//! What a tenant's clients may see, and how what they are shown looks.

use crate::error::{Error, Result};

/// `client_view = { ... }`: what clients may see. Everything, unless it is switched off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientViewConfig {
    /// The protection score and how it went.
    pub protection_dashboard: bool,
    /// Exposed credentials; never to be changed by a client.
    pub active_alerts: bool,
    /// How each domain's mail is authenticated.
    pub dmarc_status: bool,
    /// The monthly reports.
    pub reports: bool,
}

impl Default for ClientViewConfig {
    fn default() -> Self {
        Self {
            protection_dashboard: true,
            active_alerts: true,
            dmarc_status: true,
            reports: true,
        }
    }
}

/// `branding = { ... }`: how reports look.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BrandingConfig {
    /// A picture as `data:` URI.
    pub logo: Option<String>,
    /// The colour of the band on top.
    pub primary: Option<Colour>,
    /// The colour of charts.
    pub accent: Option<Colour>,
    /// What stands at the end.
    pub footer: Option<String>,
}

/// A picture may be so large, in bytes of its URI.
const LARGEST_LOGO: usize = 256 * 1024;

/// Pictures that every browser shows and that hold no script where they are shown as pictures.
const PICTURES: [&str; 5] = ["png", "jpeg", "gif", "webp", "svg+xml"];

/// The least contrast of a chart's colour to the paper (WCAG 2.2, 1.4.11 Non-text Contrast).
const LEAST_CONTRAST: f64 = 3.0;

/// A colour as `#1b6ac9`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Colour([u8; 3]);

impl Colour {
    /// The paper of a page in daylight.
    pub const WHITE: Self = Self([255, 255, 255]);
    /// The paper of a page in the dark.
    pub const DARK: Self = Self([0x15, 0x18, 0x1d]);
    /// The ink of a page in daylight.
    pub const INK: Self = Self([0x1b, 0x1f, 0x24]);

    /// Parses `#rrggbb`.
    ///
    /// # Errors
    /// `invalid_input` for anything else.
    pub fn parse(text: &str) -> Result<Self> {
        let wrong = || Error::invalid_input("not a colour: write one like \"#1b6ac9\"");
        let digits = text.trim().strip_prefix('#').ok_or_else(wrong)?;
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let number = u32::from_str_radix(digits, 16).map_err(|_| wrong())?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// A colour for charts: one that can be told from white paper.
    ///
    /// # Errors
    /// `invalid_input` with the contrast that it has.
    pub fn parse_accent(text: &str) -> Result<Self> {
        let colour = Self::parse(text)?;
        let contrast = colour.contrast(Self::WHITE);
        if contrast < LEAST_CONTRAST {
            return Err(Error::invalid_input(format!(
                "too pale for charts on white paper: the contrast is {contrast:.1}, at least {LEAST_CONTRAST:.0} is needed (WCAG 2.2, 1.4.11); take a darker one"
            )));
        }
        Ok(colour)
    }

    /// How well the two can be told apart, from 1 to 21 (WCAG 2.2, contrast ratio).
    pub fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// The one of black and white ink that can be read on it better.
    #[must_use]
    pub fn ink(self) -> Self {
        if self.contrast(Self::WHITE) >= self.contrast(Self::INK) {
            Self::WHITE
        } else {
            Self::INK
        }
    }

    /// The same, lighter by as much as it must be to be told from dark paper.
    #[must_use]
    pub fn in_the_dark(self) -> Self {
        let mut colour = self;
        while colour.contrast(Self::DARK) < LEAST_CONTRAST {
            colour = Self(colour.0.map(|part| part.saturating_add(12)));
        }
        colour
    }

    /// Relative luminance (WCAG 2.2).
    fn luminance(self) -> f64 {
        let linear = |part: u8| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0;
        0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
    }
}

impl std::fmt::Display for Colour {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

/// A picture as `data:image/...;base64,...`.
///
/// # Errors
/// `invalid_input` for another kind of URI, which a page would have to fetch, and for a large one.
pub(super) fn parse_logo(text: &str) -> Result<String> {
    let text = text.trim();
    let data = PICTURES.iter().find_map(|kind| {
        text.strip_prefix("data:image/")?
            .strip_prefix(kind)?
            .strip_prefix(";base64,")
    });
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    if !data.is_some_and(|data| !data.is_empty() && data.bytes().all(is_base64)) {
        return Err(Error::invalid_input(format!(
            "not a picture: write `data:image/png;base64,...`, or one of {}",
            PICTURES.join(", ")
        )));
    }
    if text.len() > LARGEST_LOGO {
        return Err(Error::invalid_input("the picture is over 256 KiB"));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_that_cannot_be_told_from_the_paper_is_refused_with_its_contrast() {
        let error = Colour::parse_accent("#ffe08a").unwrap_err().to_string();
        assert!(error.contains("1.3") && error.contains("WCAG"), "{error}");
        for wrong in ["blue", "#12345", "#1234567", "#12345g", "123456"] {
            assert!(Colour::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn ink_is_always_readable_and_charts_show_in_the_dark_too() {
        for number in (0..0x0100_0000_u32).step_by(0x000f_4f27) {
            let colour = Colour::parse(&format!("#{number:06x}")).unwrap();
            assert!(colour.contrast(colour.ink()) >= 4.0, "{colour}");
            assert!(
                colour.in_the_dark().contrast(Colour::DARK) >= LEAST_CONTRAST,
                "{colour}"
            );
            assert_eq!(Colour::parse(&colour.to_string()).unwrap(), colour);
        }
        assert!((Colour::parse("#000000").unwrap().contrast(Colour::WHITE) - 21.0).abs() < 0.01);
    }

    #[test]
    fn a_logo_that_would_have_to_be_fetched_is_refused() {
        assert!(parse_logo("data:image/png;base64,iVBORw0KGgo=").is_ok());
        for wrong in [
            "https://acme.example/logo.png",
            "data:text/html;base64,PGI+",
            "data:image/png,raw",
            "data:image/png;base64,",
            "data:image/png;base64,a\"onload=",
        ] {
            assert!(parse_logo(wrong).is_err(), "{wrong}");
        }
        let large = format!("data:image/png;base64,{}", "A".repeat(LARGEST_LOGO));
        assert!(parse_logo(&large).is_err());
    }
}
