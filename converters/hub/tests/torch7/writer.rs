//! Writes small Torch7 files: modules with numbers, tensors of indices that are shared, modules
//! within.

/// A module to be written.
#[derive(Default)]
pub(super) struct Module {
    class: &'static str,
    numbers: Vec<(&'static str, f64)>,
    shared: Vec<(&'static str, i32)>,
    modules: Option<Vec<Module>>,
    itself: bool,
}

impl Module {
    pub(super) fn new(class: &'static str) -> Self {
        Self {
            class,
            ..Self::default()
        }
    }

    pub(super) fn numbers(mut self, numbers: &[(&'static str, f64)]) -> Self {
        self.numbers.extend_from_slice(numbers);
        self
    }

    /// A field that is the empty tensor of this number.
    pub(super) fn shared(mut self, key: &'static str, number: i32) -> Self {
        self.shared.push((key, number));
        self
    }

    pub(super) fn modules(mut self, modules: Vec<Module>) -> Self {
        self.modules = Some(modules);
        self
    }

    /// Its only module is itself.
    pub(super) fn holding_itself(mut self) -> Self {
        self.itself = true;
        self
    }
}

struct Writer {
    out: Vec<u8>,
    next: i32,
    written: Vec<i32>,
}

/// The bytes of a file that is `root`.
pub(super) fn file(root: &Module) -> Vec<u8> {
    let mut writer = Writer {
        out: Vec::new(),
        next: 1,
        written: Vec::new(),
    };
    writer.module(root);
    writer.out
}

impl Writer {
    fn int(&mut self, v: i32) {
        self.out.extend(v.to_le_bytes());
    }

    fn text(&mut self, v: &str) {
        self.int(i32::try_from(v.len()).expect("a short text"));
        self.out.extend(v.as_bytes());
    }

    fn key(&mut self, v: &str) {
        self.int(2);
        self.text(v);
    }

    fn count(&mut self, v: usize) {
        self.int(i32::try_from(v).expect("a small number"));
    }

    fn number(&mut self) -> i32 {
        self.next += 1;
        self.next
    }

    fn module(&mut self, module: &Module) {
        let own = self.number();
        self.int(4);
        self.int(own);
        self.text("V 1");
        self.text(module.class);
        let table = self.number();
        self.int(3);
        self.int(table);
        let lists = usize::from(module.modules.is_some() || module.itself);
        self.count(module.numbers.len() + module.shared.len() + lists);
        for (key, value) in &module.numbers {
            self.key(key);
            self.int(1);
            self.out.extend(value.to_le_bytes());
        }
        for (key, number) in &module.shared {
            self.key(key);
            self.int(4);
            self.int(*number);
            if !self.written.contains(number) {
                self.written.push(*number);
                self.text("V 1");
                self.text("torch.LongTensor");
                self.int(0);
                self.out.extend(1i64.to_le_bytes());
                self.int(0);
            }
        }
        if lists == 1 {
            self.key("modules");
            let list = self.number();
            self.int(3);
            self.int(list);
            if module.itself {
                self.count(1);
                self.entry(1);
                self.int(4);
                self.int(own);
                return;
            }
            let modules = module.modules.as_deref().unwrap_or_default();
            self.count(modules.len());
            for (at, inner) in modules.iter().enumerate() {
                self.entry(at + 1);
                self.module(inner);
            }
        }
    }

    fn entry(&mut self, at: usize) {
        self.int(1);
        self.out.extend((at as f64).to_le_bytes());
    }
}
