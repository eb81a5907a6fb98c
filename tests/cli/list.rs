use crate::harness::Place;

#[test]
fn names_dtypes_shapes_sizes() {
    insta::assert_snapshot!(Place::new().run("list testdata/conv3"));
}

#[test]
fn for_machines() {
    insta::assert_snapshot!(Place::new().ok("list testdata/conv3 model/conv2d/bias --json"));
}

#[test]
fn globs_and_regexes() {
    let place = Place::new();
    let rows = |args: &str| place.ok(args).lines().count() - 1;
    assert_eq!(rows("list testdata/conv3 *kernel"), 3);
    assert_eq!(rows("list testdata/conv3 /2d_[12]/"), 4);
    assert_eq!(place.run("list testdata/conv3 /(/").code, 2);
    let said = place.run("list testdata/conv3 *kernal */bias");
    assert_eq!((said.code, said.out.lines().count()), (0, 4), "{said}");
    assert!(said.err.starts_with("warning: no variable matches `*kernal`; "), "{said}");
    insta::assert_snapshot!(place.run("list testdata/conv3 *kernal --stats"), @r"
    exit status 0
    --- answer
    0 variables, 0 B; of 6, 1008 B
    --- messages
    warning: no variable matches `*kernal`; a pattern is for whole names, in which `*` stands for anything
    ");
}

#[test]
fn objects_go_by_their_paths() {
    insta::assert_snapshot!(Place::new().run("list testdata/tf2_keras3"));
}

#[test]
fn slots_stand_in_the_rows_of_their_variables() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("list testdata/optimizers/adam *dense/* global_step"), @r"
    global_step         int64    []      8 B
    model/dense/bias    float32  [5]     20 B   + Adam, Adam_1
    model/dense/kernel  float32  [5, 5]  100 B  + Adam, Adam_1
    3 variables, 128 B; 4 slots, 240 B; of 21, 880 B
    ");
    insta::assert_snapshot!(place.ok("list testdata/optimizers/adam *dense/* --slots"), @r"
    model/dense/bias           float32  [5]     20 B
    model/dense/bias/Adam      float32  [5]     20 B
    model/dense/bias/Adam_1    float32  [5]     20 B
    model/dense/kernel         float32  [5, 5]  100 B
    model/dense/kernel/Adam    float32  [5, 5]  100 B
    model/dense/kernel/Adam_1  float32  [5, 5]  100 B
    2 variables, 120 B; 4 slots, 240 B; of 21, 880 B
    ");
    // A slot whose variable is not listed has a row of its own.
    insta::assert_snapshot!(place.ok("list testdata/optimizers/adam *bias/Adam*"), @r"
    model/dense/bias/Adam      float32  [5]  20 B
    model/dense/bias/Adam_1    float32  [5]  20 B
    model/dense_1/bias/Adam    float32  [5]  20 B
    model/dense_1/bias/Adam_1  float32  [5]  20 B
    model/dense_2/bias/Adam    float32  [2]  8 B
    model/dense_2/bias/Adam_1  float32  [2]  8 B
    0 variables, 0 B; 6 slots, 96 B; of 21, 880 B
    ");
}

#[test]
fn slots_of_every_dialect() {
    let place = Place::new();
    let rows = ["legacy_adam", "keras2_adam", "keras3_adam"].map(|template| {
        let all = place.ok(&format!("list testdata/templates/{template} model/head/*"));
        all.lines().find(|line| line.contains("bias")).unwrap().to_owned()
    });
    insta::assert_snapshot!(rows.join("\n"), @r"
    model/head/bias    float32  [2]     8 B   + m, v
    model/head/bias    float32  [2]     8 B   + momentums, velocities
    model/head/bias     float32  [2]     8 B   + momentums, velocities
    ");
}

#[test]
fn orders() {
    let place = Place::new();
    let first = |sort: &str| {
        let all = place.ok(&format!("list testdata/optimizers/cnn_adam --sort {sort}"));
        all.lines().take(3).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(first("size"), @r"
    model/conv2d/kernel                          float32  [3, 3, 3, 3]  324 B  + Adam, Adam_1
    model/conv2d_1/kernel                        float32  [3, 3, 3, 3]  324 B  + Adam, Adam_1
    model/dense/kernel                           float32  [3, 2]        24 B   + Adam, Adam_1
    ");
    insta::assert_snapshot!(first("name"), @r"
    beta1_power                                  float32  []            4 B
    beta2_power                                  float32  []            4 B
    global_step                                  int64    []            8 B
    ");
    assert_eq!(place.run("list testdata/conv3 --sort weight").code, 2);
}

#[test]
fn trees() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("list testdata/conv_bn_dense --tree"), @r"
    model/                                18 variables     3.3 KiB
    ├ batch_normalization{,_1}/           2 × 4 variables  2 × 48 B
    │ ├ beta                     float32  [3]              12 B
    │ ├ gamma                    float32  [3]              12 B
    │ ├ moving_mean              float32  [3]              12 B
    │ └ moving_variance          float32  [3]              12 B
    ├ conv2d{,_1..2}/                     3 × 2 variables  3 × 336 B
    │ ├ bias                     float32  [3]              12 B
    │ └ kernel                   float32  [3, 3, 3, 3]     324 B
    ├ dense/                              2 variables      2.1 KiB
    │ ├ bias                     float32  [5]              20 B
    │ └ kernel                   float32  [108, 5]         2.1 KiB
    └ dense_1/                            2 variables      120 B
      ├ bias                     float32  [5]              20 B
      └ kernel                   float32  [5, 5]           100 B
    18 variables, 3.3 KiB
    ");
    insta::assert_snapshot!(place.ok("list testdata/optimizers/adam --tree --slots"), @r"
    beta1_power      float32  []               4 B
    beta2_power      float32  []               4 B
    global_step      int64    []               8 B
    model/                    18 variables     864 B
    ├ dense{,_1}/             2 × 6 variables  2 × 360 B
    │ ├ bias/        float32  [5]              60 B
    │ │ └ Adam{,_1}  float32  [5]              2 × 20 B
    │ └ kernel/      float32  [5, 5]           300 B
    │   └ Adam{,_1}  float32  [5, 5]           2 × 100 B
    └ dense_2/                6 variables      144 B
      ├ bias/        float32  [2]              24 B
      │ └ Adam{,_1}  float32  [2]              2 × 8 B
      └ kernel/      float32  [5, 2]           120 B
        └ Adam{,_1}  float32  [5, 2]           2 × 40 B
    9 variables, 304 B; 12 slots, 576 B
    ");
    insta::assert_snapshot!(place.ok("list testdata/templates/keras3_adam --tree --sort size"), @r"
    model/                     6 variables      288 B
    ├ hidden_{1,2}/            2 × 2 variables  2 × 120 B
    │ ├ _kernel       float32  [5, 5]           100 B      + momentums, velocities
    │ └ bias          float32  [5]              20 B       + momentums, velocities
    └ head/                    2 variables      48 B
      ├ _kernel       float32  [5, 2]           40 B       + momentums, velocities
      └ bias          float32  [2]              8 B        + momentums, velocities
    optimizer/                 2 variables      12 B
    ├ _iterations     int64    []               8 B
    └ _learning_rate  float32  []               4 B
    8 variables, 300 B; 12 slots, 576 B
    ");
}

#[test]
fn what_values_are_like() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("list testdata/optimizers/adam *dense/* *step --stats"), @r"
                                                    min       max     mean     std
    global_step         int64    []      8 B         20        20       20       0
    model/dense/bias    float32  [5]     20 B   -0.8328  -0.09776  -0.4406  0.2727  + Adam, Adam_1
    model/dense/kernel  float32  [5, 5]  100 B   -0.529    0.7062   0.0281  0.3409  + Adam, Adam_1
    3 variables, 128 B; 4 slots, 240 B; of 21, 880 B
    ");
    // Strings and complex numbers have no range.
    insta::assert_snapshot!(place.ok("list testdata/dtypes_tf215 /(string|complex64|half|int8).*matrix/ --stats"), @r"
                                                 min  max    mean    std
    complex64/matrix  complex64  [3, 5]  120 B
    int8/matrix       int8       [3, 5]  15 B    -94  123   5.667  75.63
    qint8/matrix      qint8      [3, 5]  15 B   -126  119  -13.73  80.12
    quint8/matrix     quint8     [3, 5]  15 B     30  250   133.7  72.71
    string/matrix     string     [2, 2]  215 B
    uint8/matrix      uint8      [3, 5]  15 B      3  254   132.8  68.59
    6 variables, 395 B; of 76, 1.6 KiB
    ");
}

#[test]
fn values_in_pieces_are_counted_once() {
    let place = Place::new();
    let mean = |args: &str| -> f64 {
        let document: serde_json::Value = serde_json::from_str(&place.ok(args)).unwrap();
        document["variables"][0]["statistics"]["mean"].as_f64().unwrap()
    };
    let part = "list testdata/partitioned/saver --stats --json";
    let first = place.ok("list testdata/partitioned/saver");
    let name = first.lines().find(|line| line.contains("slices")).unwrap();
    let name = name.split_whitespace().next().unwrap();
    let values = place.ok(&format!("show testdata/partitioned/saver {name} --json"));
    let document: serde_json::Value = serde_json::from_str(&values).unwrap();
    let mut numbers = Vec::new();
    let mut open = vec![&document["values"]];
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::Array(all) => open.extend(all),
            number => numbers.push(number.as_f64().unwrap()),
        }
    }
    let count = f64::from(u32::try_from(numbers.len()).unwrap());
    let expected = numbers.iter().sum::<f64>() / count;
    assert!((mean(&format!("{part} {name}")) - expected).abs() < 1e-6);
}

#[test]
fn damage_is_named_and_the_rest_is_shown() {
    let place = Place::new();
    place.copy("conv3", "hurt");
    place.edit("hurt/model.ckpt.data-00000-of-00001", |bytes| bytes[0] ^= 1);
    let said = place.run("list hurt/model.ckpt --stats");
    insta::assert_snapshot!(said, @r"
    exit status 1
    --- answer
                                                             min      max      mean     std
    model/conv2d/bias      float32  [3]           12 B                                       unreadable
    model/conv2d/kernel    float32  [3, 3, 3, 3]  324 B  -0.8649    1.177  -0.03316  0.4429
    model/conv2d_1/bias    float32  [3]           12 B   -0.3981  0.07112   -0.1948  0.1966
    model/conv2d_1/kernel  float32  [3, 3, 3, 3]  324 B  -0.9248   0.8622  -0.03079  0.3512
    model/conv2d_2/bias    float32  [3]           12 B   -0.0527   0.2017   0.05441  0.1077
    model/conv2d_2/kernel  float32  [3, 3, 3, 3]  324 B  -0.7541   0.9443  -0.05191  0.3648
    6 variables, 1008 B
    --- messages
    error: the data of `model/conv2d/bias` at byte 0 of `hurt/model.ckpt.data-00000-of-00001` cannot be used: its checksum is 1fdf855b, but 2eae516b is stored
    help: the file is not as TensorFlow writes it: copy it again from where it came; `ckptmap check` finds all damage
    ");
    assert_eq!(place.run("list hurt/model.ckpt").code, 0);
}

#[test]
fn comma_separated_values() {
    let place = Place::new();
    insta::assert_snapshot!(place.ok("list testdata/optimizers/adam *dense_2/* --csv"), @r#"
    name,dtype,shape,elements,bytes,slices,slot_of,slot
    model/dense_2/bias,float32,[2],2,8,1,,
    model/dense_2/bias/Adam,float32,[2],2,8,1,model/dense_2/bias,Adam
    model/dense_2/bias/Adam_1,float32,[2],2,8,1,model/dense_2/bias,Adam_1
    model/dense_2/kernel,float32,"[5, 2]",10,40,1,,
    model/dense_2/kernel/Adam,float32,"[5, 2]",10,40,1,model/dense_2/kernel,Adam
    model/dense_2/kernel/Adam_1,float32,"[5, 2]",10,40,1,model/dense_2/kernel,Adam_1
    "#);
    let stats = place.ok("list testdata/conv3 *bias --csv --stats");
    assert!(stats.lines().all(|line| line.split(',').count() == 15), "{stats}");
}

#[test]
fn one_form_at_a_time() {
    let place = Place::new();
    for two in ["--csv --json", "--tree --json", "--tree --stats"] {
        assert_eq!(place.run(&format!("list testdata/conv3 {two}")).code, 2, "{two}");
    }
}

#[test]
fn narrow_terminals_and_colours() {
    let place = Place::new();
    let wide = place.ok("list testdata/conv_bn_dense");
    let narrow = place.command("list testdata/conv_bn_dense").env("COLUMNS", "60").output();
    let narrow = String::from_utf8(narrow.unwrap().stdout).unwrap();
    assert!(narrow.lines().all(|line| line.chars().count() <= 60), "{narrow}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(&narrow), words(&wide));
    let plain = |text: &str| {
        regex::Regex::new("\x1b\\[[0-9;]*m").unwrap().replace_all(text, "").into_owned()
    };
    let coloured = place.ok("list testdata/conv_bn_dense --color always");
    assert_ne!(coloured, wide);
    assert_eq!(plain(&coloured), wide);
}
