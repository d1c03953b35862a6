//! Image codecs and resize kernels, exact to the pixel.
