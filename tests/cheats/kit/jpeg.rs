//! Baseline JPEG files of one grey, a few hundred bytes each (ITU-T T.81): what matters is what
//! stands in their headers.
//!
//! Every coefficient of every block is zero, and each Huffman table has one code: `0`, a difference
//! of nothing in the table of DC, the end of the block in that of AC. So a block is two zero bits.

/// A picture in one grey.
#[derive(Debug, Clone)]
pub(crate) struct Jpeg {
    /// Columns as stored.
    pub(crate) width: u16,
    /// Rows as stored.
    pub(crate) height: u16,
    /// Horizontal and vertical sampling of each component: `(1, 1)` three times for YCbCr.
    pub(crate) sampling: Vec<(u8, u8)>,
    /// Orientation that the camera notes (Exif 2.3, tag 0x0112), 1 to 8.
    pub(crate) orientation: Option<u8>,
}

impl Jpeg {
    /// YCbCr without subsampling.
    pub(crate) fn new(width: u16, height: u16) -> Self {
        Self {
            width,
            height,
            sampling: vec![(1, 1); 3],
            orientation: None,
        }
    }

    /// Four components, the first at full size, the others halved both ways: what
    /// `Image.convert("CMYK").save(f, subsampling=2)` of Pillow writes.
    pub(crate) fn subsampled_cmyk(width: u16, height: u16) -> Self {
        Self {
            sampling: vec![(2, 2), (1, 1), (1, 1), (1, 1)],
            ..Self::new(width, height)
        }
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut file = vec![0xff, 0xd8];
        if let Some(orientation) = self.orientation {
            // One directory with one entry, big-endian: SHORT, count 1, value left-aligned.
            let mut exif = b"Exif\0\0MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
            exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
            segment(&mut file, 0xe1, &exif);
        }
        if self.sampling.len() == 4 {
            // Adobe's marker: transform 0, four components as they are.
            segment(&mut file, 0xee, b"Adobe\0\x64\0\0\0\0\0");
        }
        let mut quantization = vec![0];
        quantization.extend([1; 64]);
        segment(&mut file, 0xdb, &quantization);
        let components = u8::try_from(self.sampling.len()).expect("few components");
        let mut frame = vec![8];
        frame.extend(self.height.to_be_bytes());
        frame.extend(self.width.to_be_bytes());
        frame.push(components);
        for (id, (h, v)) in (1..).zip(&self.sampling) {
            frame.extend([id, h << 4 | v, 0]);
        }
        segment(&mut file, 0xc0, &frame);
        for table in [0x00, 0x10] {
            // One code of one bit, its symbol 0.
            let mut huffman = vec![table, 1];
            huffman.extend([0; 15]);
            huffman.push(0);
            segment(&mut file, 0xc4, &huffman);
        }
        let mut scan = vec![components];
        for (id, _) in (1..).zip(&self.sampling) {
            scan.extend([id, 0]);
        }
        scan.extend([0, 63, 0]);
        segment(&mut file, 0xda, &scan);
        file.extend(self.scan());
        file.extend([0xff, 0xd9]);
        file
    }

    /// Two zero bits a block, padded with ones.
    fn scan(&self) -> Vec<u8> {
        let most = |f: fn(&(u8, u8)) -> u8| self.sampling.iter().map(f).max().unwrap_or(1);
        let units = |length: u16, most: u8| u32::from(length).div_ceil(8 * u32::from(most));
        let blocks: u32 = self
            .sampling
            .iter()
            .map(|(h, v)| u32::from(*h) * u32::from(*v))
            .sum();
        let bits =
            2 * blocks * units(self.width, most(|s| s.0)) * units(self.height, most(|s| s.1));
        let mut bytes = vec![0; (bits / 8) as usize];
        if !bits.is_multiple_of(8) {
            bytes.push(0xff >> (bits % 8));
        }
        bytes
    }
}

fn segment(file: &mut Vec<u8>, marker: u8, body: &[u8]) {
    let length = u16::try_from(body.len() + 2).expect("a short segment");
    file.extend([0xff, marker]);
    file.extend(length.to_be_bytes());
    file.extend(body);
}
