//! The one image type: 8-bit RGB, row-major, three interleaved channels (HWC); grey is expanded.
//! Views make crops free of copies.

use crate::error::ImageError;

/// Channels of every image.
pub const CHANNELS: usize = 3;

/// An 8-bit RGB image in memory, rows without padding. The default has no pixels; its buffer is
/// kept when the image is reused.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    data: Vec<u8>,
}

/// A rectangle in pixels, from its upper left corner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Region {
    /// Left side.
    pub x: u32,
    /// Upper side.
    pub y: u32,
    /// Width.
    pub width: u32,
    /// Height.
    pub height: u32,
}

/// Part of an image, borrowed: what every resampling function reads. An `&Image` becomes a view of
/// all of it by `into()`.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    data: &'a [u8],
    stride: usize,
    width: u32,
    height: u32,
}

/// Bytes of `width` x `height` pixels.
fn byte_len(width: u32, height: u32) -> Option<usize> {
    (width as usize)
        .checked_mul(height as usize)?
        .checked_mul(CHANNELS)
}

/// Memory that an image keeps between pictures: 22 million pixels, more than a camera gives.
const KEPT_BYTES: usize = 64 << 20;

impl Image {
    /// A black image.
    ///
    /// # Errors
    /// [`ImageError::Memory`] when there is no memory for so many pixels.
    pub fn new(width: u32, height: u32) -> Result<Self, ImageError> {
        let mut image = Self::default();
        image.reshape(width, height)?;
        image.data.fill(0);
        Ok(image)
    }

    /// An image of `width` x `height` pixels from RGB bytes, row after row.
    ///
    /// # Errors
    /// [`ImageError::BufferSize`] unless `data` holds exactly `width * height * 3` bytes.
    pub fn from_raw(width: u32, height: u32, data: Vec<u8>) -> Result<Self, ImageError> {
        if byte_len(width, height) == Some(data.len()) {
            Ok(Self {
                width,
                height,
                data,
            })
        } else {
            Err(ImageError::BufferSize {
                width,
                height,
                len: data.len(),
            })
        }
    }

    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// RGB bytes, row after row.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// RGB bytes, row after row, for writing.
    pub fn data_mut(&mut self) -> &mut [u8] {
        &mut self.data
    }

    /// The bytes without the image.
    pub fn into_raw(self) -> Vec<u8> {
        self.data
    }

    /// The colour at (`x`, `y`), `None` outside.
    pub fn pixel(&self, x: u32, y: u32) -> Option<[u8; CHANNELS]> {
        if x >= self.width || y >= self.height {
            return None;
        }
        let at = (y as usize * self.width as usize + x as usize) * CHANNELS;
        self.data.get(at..at + CHANNELS)?.try_into().ok()
    }

    /// Sets the colour at (`x`, `y`); outside nothing happens.
    pub fn set_pixel(&mut self, x: u32, y: u32, rgb: [u8; CHANNELS]) {
        if x < self.width && y < self.height {
            let at = (y as usize * self.width as usize + x as usize) * CHANNELS;
            self.data[at..at + CHANNELS].copy_from_slice(&rgb);
        }
    }

    /// Gives every pixel one colour.
    pub fn fill(&mut self, rgb: [u8; CHANNELS]) {
        if rgb[0] == rgb[1] && rgb[1] == rgb[2] {
            self.data.fill(rgb[0]);
        } else {
            for pixel in self.data.chunks_exact_mut(CHANNELS) {
                pixel.copy_from_slice(&rgb);
            }
        }
    }

    /// Makes the image `width` x `height` pixels of unspecified colour; the buffer is reused.
    ///
    /// # Errors
    /// [`ImageError::Memory`] when there is no memory for so many pixels.
    pub fn reshape(&mut self, width: u32, height: u32) -> Result<(), ImageError> {
        let too_large = || ImageError::Memory { width, height };
        let len = byte_len(width, height).ok_or_else(too_large)?;
        // `resize` alone would end the process when there is no memory for a size that a file
        // announced.
        self.data
            .try_reserve_exact(len.saturating_sub(self.data.len()))
            .map_err(|_| too_large())?;
        self.data.resize(len, 0);
        // One huge picture among small ones must not hold its memory for the rest of the run.
        if self.data.capacity() > KEPT_BYTES && len <= KEPT_BYTES {
            self.data.shrink_to(KEPT_BYTES);
        }
        (self.width, self.height) = (width, height);
        Ok(())
    }

    /// All of the image.
    pub fn view(&self) -> View<'_> {
        View {
            data: &self.data,
            stride: self.width as usize * CHANNELS,
            width: self.width,
            height: self.height,
        }
    }

    /// A part of the image, without copying.
    ///
    /// # Errors
    /// [`ImageError::Region`] when it is not inside.
    pub fn region(&self, region: Region) -> Result<View<'_>, ImageError> {
        self.view().region(region)
    }

    /// Copies `source` with its upper left corner to (`x`, `y`).
    ///
    /// # Errors
    /// [`ImageError::Region`] when it does not fit.
    pub fn paste(&mut self, source: View<'_>, x: u32, y: u32) -> Result<(), ImageError> {
        let mut target = self.target(Region {
            x,
            y,
            width: source.width,
            height: source.height,
        })?;
        for row in 0..source.height {
            target.row(row).copy_from_slice(source.row(row));
        }
        Ok(())
    }

    /// A part of the image for writing.
    pub(crate) fn target(&mut self, region: Region) -> Result<Target<'_>, ImageError> {
        let (start, end, stride) = self.view().span(region)?;
        Ok(Target {
            data: &mut self.data[start..end],
            stride,
            width: region.width,
            height: region.height,
        })
    }
}

impl<'a> View<'a> {
    /// Width in pixels.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Height in pixels.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// RGB bytes of row `y`.
    ///
    /// # Panics
    /// When `y` is not below the height.
    pub fn row(&self, y: u32) -> &'a [u8] {
        let start = y as usize * self.stride;
        &self.data[start..start + self.width as usize * CHANNELS]
    }

    /// A part of this view.
    ///
    /// # Errors
    /// [`ImageError::Region`] when it is not inside.
    pub fn region(&self, region: Region) -> Result<View<'a>, ImageError> {
        let (start, end, stride) = self.span(region)?;
        Ok(View {
            data: &self.data[start..end],
            stride,
            width: region.width,
            height: region.height,
        })
    }

    /// Copies the view into `target`, which gets its size.
    ///
    /// # Errors
    /// [`ImageError::Memory`] when there is no memory for so many pixels.
    pub fn copy_to(&self, target: &mut Image) -> Result<(), ImageError> {
        target.reshape(self.width, self.height)?;
        for (y, row) in (0..self.height).zip(
            target
                .data
                .chunks_exact_mut((self.width as usize * CHANNELS).max(1)),
        ) {
            row.copy_from_slice(self.row(y));
        }
        Ok(())
    }

    /// First byte, last byte + 1 and stride of `region`.
    fn span(&self, region: Region) -> Result<(usize, usize, usize), ImageError> {
        let inside = |start: u32, extent: u32, limit: u32| {
            start.checked_add(extent).is_some_and(|end| end <= limit)
        };
        if !inside(region.x, region.width, self.width)
            || !inside(region.y, region.height, self.height)
        {
            let Region {
                x,
                y,
                width,
                height,
            } = region;
            return Err(ImageError::Region {
                x,
                y,
                width,
                height,
                image_width: self.width,
                image_height: self.height,
            });
        }
        if region.width == 0 || region.height == 0 {
            return Ok((0, 0, self.stride));
        }
        let start = region.y as usize * self.stride + region.x as usize * CHANNELS;
        let end =
            start + (region.height as usize - 1) * self.stride + region.width as usize * CHANNELS;
        Ok((start, end, self.stride))
    }
}

impl<'a> From<&'a Image> for View<'a> {
    fn from(image: &'a Image) -> Self {
        image.view()
    }
}

/// Part of an image that is written.
pub(crate) struct Target<'a> {
    data: &'a mut [u8],
    stride: usize,
    pub(crate) width: u32,
    pub(crate) height: u32,
}

impl Target<'_> {
    pub(crate) fn row(&mut self, y: u32) -> &mut [u8] {
        let start = y as usize * self.stride;
        &mut self.data[start..start + self.width as usize * CHANNELS]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(width: u32, height: u32) -> Image {
        Image::from_raw(
            width,
            height,
            (0..width * height * 3).map(|i| (i % 251) as u8).collect(),
        )
        .expect("the length fits")
    }

    #[test]
    fn regions_are_checked_and_copy_nothing_else() {
        let image = counted(5, 4);
        let view = image
            .region(Region {
                x: 1,
                y: 2,
                width: 3,
                height: 2,
            })
            .expect("inside");
        assert_eq!(view.row(0), &image.data()[(2 * 5 + 1) * 3..(2 * 5 + 4) * 3]);
        let mut copy = Image::default();
        view.copy_to(&mut copy).expect("small");
        assert_eq!((copy.width(), copy.height()), (3, 2));
        assert_eq!(copy.pixel(2, 1), image.pixel(3, 3));
        assert_eq!(
            view.region(Region {
                x: 2,
                y: 1,
                width: 1,
                height: 1
            })
            .expect("inside")
            .row(0),
            image.pixel(3, 3).expect("inside").as_slice()
        );
        for bad in [
            (5, 0, 1, 1),
            (0, 4, 1, 1),
            (4, 0, 2, 1),
            (u32::MAX, 0, 2, 1),
            (0, 1, 1, u32::MAX),
        ] {
            let region = Region {
                x: bad.0,
                y: bad.1,
                width: bad.2,
                height: bad.3,
            };
            assert!(
                matches!(image.region(region), Err(ImageError::Region { .. })),
                "{region:?}"
            );
        }
    }

    #[test]
    fn sizes_must_fit_buffers() {
        assert!(matches!(
            Image::from_raw(2, 2, vec![0; 11]),
            Err(ImageError::BufferSize { len: 11, .. })
        ));
        assert!(matches!(
            Image::from_raw(u32::MAX, u32::MAX, Vec::new()),
            Err(ImageError::BufferSize { .. })
        ));
        assert!(Image::default().reshape(u32::MAX, u32::MAX).is_err());
        assert_eq!(Image::default().pixel(0, 0), None);
    }

    #[test]
    fn paste_and_fill() {
        let mut canvas = Image::new(4, 4).expect("small");
        canvas.fill([1, 2, 3]);
        let source = counted(2, 2);
        canvas.paste(source.view(), 2, 1).expect("fits");
        assert_eq!(canvas.pixel(2, 1), source.pixel(0, 0));
        assert_eq!(canvas.pixel(3, 2), source.pixel(1, 1));
        assert_eq!(canvas.pixel(1, 1), Some([1, 2, 3]));
        assert!(canvas.paste(source.view(), 3, 1).is_err());
    }
}
