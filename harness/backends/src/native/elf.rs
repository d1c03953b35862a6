//! Whether a file can be a shared library of this machine, seen from its ELF headers alone.
//!
//! Opening a library maps its segments; a file that ends before them kills the process (SIGBUS) at
//! the first touch, and no error can be caught. So headers and segments are held against the file's
//! size before. The format: System V ABI, chapters 4 and 5 (`elf.h`). Systems without ELF check
//! nothing here.

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// `EI_CLASS`, size of the file header, and places in it and in a program header, by width of
/// addresses.
struct Class {
    ident: u8,
    header: usize,
    program_headers: usize,
    entry_size: usize,
    entry_count: usize,
    segment_offset: usize,
    segment_size: usize,
    word: usize,
}

const CLASS: Class = if cfg!(target_pointer_width = "64") {
    Class {
        ident: 2,
        header: 64,
        program_headers: 32,
        entry_size: 54,
        entry_count: 56,
        segment_offset: 8,
        segment_size: 32,
        word: 8,
    }
} else {
    Class {
        ident: 1,
        header: 52,
        program_headers: 28,
        entry_size: 42,
        entry_count: 44,
        segment_offset: 4,
        segment_size: 16,
        word: 4,
    }
};

/// `e_machine` of this processor, where it is known here.
const MACHINE: Option<u64> = if cfg!(target_arch = "x86_64") {
    Some(62)
} else if cfg!(target_arch = "aarch64") {
    Some(183)
} else if cfg!(target_arch = "arm") {
    Some(40)
} else if cfg!(target_arch = "riscv64") {
    Some(243)
} else {
    None
};

/// `ET_DYN`: a shared library.
const SHARED: u64 = 3;

/// Refuses a file that cannot be opened as a library here.
///
/// # Errors
/// A text that says what is wrong: no ELF file, of another width, byte order or processor, no
/// shared library, or shorter than its segments.
pub(crate) fn check(path: &Path) -> Result<(), String> {
    if !cfg!(unix) || cfg!(target_vendor = "apple") {
        return Ok(());
    }
    let mut file = File::open(path).map_err(|e| e.to_string())?;
    let size = file.metadata().map_err(|e| e.to_string())?.len();
    let header = read(&mut file, 0, CLASS.header)?;
    let byte = |at: usize| header.get(at).copied().unwrap_or(0);
    if !header.starts_with(b"\x7FELF") {
        return Err("not a library (no ELF file)".to_owned());
    }
    let order = if cfg!(target_endian = "little") { 1 } else { 2 };
    if (byte(4), byte(5)) != (CLASS.ident, order) {
        return Err("a library of another width or byte order than this program's".to_owned());
    }
    let machine = number(&header, 18, 2);
    if MACHINE.is_some_and(|m| m != machine) {
        return Err(format!(
            "a library for another processor (ELF machine {machine}), and this is {}",
            std::env::consts::ARCH
        ));
    }
    if number(&header, 16, 2) != SHARED {
        return Err("not a shared library".to_owned());
    }
    let cut = |needed: Option<u64>| {
        let needed = needed.map_or_else(|| "more".to_owned(), |n| n.to_string());
        format!("the file was cut: it has {size} bytes, and its headers speak of {needed}")
    };
    let table = number(&header, CLASS.program_headers, CLASS.word);
    let entry = number(&header, CLASS.entry_size, 2);
    let length = entry * number(&header, CLASS.entry_count, 2);
    let end = table.checked_add(length);
    if end.is_none_or(|end| end > size) {
        return Err(cut(end));
    }
    let entry = usize::try_from(entry).unwrap_or(0).max(1);
    let segments = read(&mut file, table, usize::try_from(length).unwrap_or(0))?;
    for segment in segments.chunks(entry) {
        let offset = number(segment, CLASS.segment_offset, CLASS.word);
        let end = offset.checked_add(number(segment, CLASS.segment_size, CLASS.word));
        if end.is_none_or(|end| end > size) {
            return Err(cut(end));
        }
    }
    Ok(())
}

/// At most `count` bytes from `offset` on.
fn read(file: &mut File, offset: u64, count: usize) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(offset))
        .and_then(|_| file.take(count as u64).read_to_end(&mut bytes))
        .map_err(|e| e.to_string())?;
    Ok(bytes)
}

/// The number of `width` bytes at `at`, in this machine's order; 0 beyond the end.
fn number(bytes: &[u8], at: usize, width: usize) -> u64 {
    let field = bytes.get(at..at + width).unwrap_or_default();
    let fold = |n: u64, &b: &u8| n << 8 | u64::from(b);
    if cfg!(target_endian = "little") {
        field.iter().rev().fold(0, fold)
    } else {
        field.iter().fold(0, fold)
    }
}

#[cfg(all(test, unix, not(target_vendor = "apple")))]
mod tests {
    use super::*;
    use std::fs;

    /// What `check` says of `bytes`.
    fn said(name: &str, bytes: &[u8]) -> Result<(), String> {
        let path = std::env::temp_dir().join(format!("dyno-elf-{}-{name}", std::process::id()));
        fs::write(&path, bytes).expect("a temporary file");
        let result = check(&path);
        fs::remove_file(&path).expect("the file is ours");
        result
    }

    #[test]
    fn a_library_is_told_from_what_would_kill_the_process() {
        // This very test: a position-independent program is a shared object to ELF.
        let own = std::env::current_exe().expect("this test");
        let whole = fs::read(own).expect("this test can be read");
        assert_eq!(said("whole", &whole), Ok(()));
        for cut in [whole.len() / 2, 1 << 16, 4096, 70] {
            let error = said("cut", &whole[..cut]).expect_err("cut");
            assert!(
                error.starts_with("the file was cut: it has"),
                "{cut}: {error}"
            );
        }
        let changed = |at: usize, to: u8| {
            let mut bytes = whole[..4096].to_vec();
            bytes[at] = to;
            said("changed", &bytes).expect_err("changed")
        };
        let other = if cfg!(target_arch = "x86_64") {
            183
        } else {
            62
        };
        assert!(changed(18, other).starts_with("a library for another processor"));
        assert!(changed(4, 3 - CLASS.ident).starts_with("a library of another width"));
        assert_eq!(changed(16, 1), "not a shared library");
        for text in [&b"INPUT(libonnxruntime.so.1)"[..], b"", b"\x7FEL"] {
            let expected = Err("not a library (no ELF file)".to_owned());
            assert_eq!(said("text", text), expected);
        }
    }
}
