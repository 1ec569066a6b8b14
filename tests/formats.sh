#!/usr/bin/env bash
# Reads and writes every format that README.md's table of files names, in the way that it says.
# Usage: tests/formats.sh LENET-CL ROOT; ROOT is the folder of README.md and tests/data.
# shellcheck disable=SC2317 # the checks are called by their rows' names
set -euo pipefail

if [ $# -ne 2 ]; then
    echo "usage: tests/formats.sh LENET-CL ROOT" >&2
    exit 2
fi
lenet_cl=$(realpath "$1")
root=$(realpath "$2")
row= # of the table, being checked
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

# ---- The table ---------------------------------------------------------------------------------

# The rows with their cells as they stand in README.md. write_NAME checks what is under "written"
# and read_NAME what is under "read"; where a cell is empty there is no such function.
table() {
    cat <<'END'
prototxt
    file    solver and net prototxt, also V0, V1, `input` and `solver_type` forms
    read    yes, with Google's rules for the text format
    written `proto decode`, `proto upgrade`
caffemodel
    file    `.caffemodel`, binary
    read    yes, old forms too
    written yes
solverstate
    file    `.solverstate`, binary
    read    yes
    written yes
hdf5_snapshot
    file    `.caffemodel.h5`, `.solverstate.h5`
    read    yes
    written `snapshot_format: HDF5`
binaryproto
    file    `.binaryproto` (means)
    read    yes
    written `compute-mean`
database
    file    LMDB and LevelDB databases, as bytes, floats or encoded images
    read    yes
    written `convert`, `--backend lmdb` or `leveldb`
idx
    file    IDX files of MNIST, `.gz` or not
    read    yes: name the images file as a Data layer's `source`
    written
cifar
    file    CIFAR-10's binary files
    read    `convert cifar`
    written
image
    file    JPEG and PNG images
    read    ImageData layers, `convert imageset`, encoded records
    written encoded records
npz
    file    `.npz`, NumPy's arrays: `conv1/0` are conv1's weights, `conv1/1` its biases
    read    `import`
    written `export --npz`
onnx
    file    `.onnx` models
    read
    written `export --onnx`
hdf5_data
    file    HDF5 data (also packed)
    read    HDF5Data layers
    written HDF5Output layers
END
}

# ---- Helpers -----------------------------------------------------------------------------------

fail() {
    echo "FAILED: ${row:+$row: }$*" >&2
    exit 1
}

# Runs lenet-cl, whose output goes to the file log.
lenet() {
    "$lenet_cl" "$@" >log 2>&1 || fail "lenet-cl $* ended with exit code $?: $(cat log)"
}

same() { # FILE FILE
    diff "$1" "$2" >differences 2>&1 || fail "$1 and $2 are not the same: $(cat differences)"
}

has() { # FILE TEXT
    grep -aqF -- "$2" "$1" || fail "'$2' is not in $1: $(grep -I . "$1")"
}

starts_with() { # FILE BYTES, as hexadecimal digits
    local bytes
    bytes=$(od -A n -t x1 -N $((${#2} / 2)) "$1" | tr -d ' \n')
    [ "$bytes" = "$2" ] || fail "$1 starts with the bytes $bytes, not $2"
}

repeat() { # NUMBER LINE
    local i
    for ((i = 0; i < $1; i++)); do
        echo "$2"
    done
}

# A number of bytes that have the value of an octal escape.
pixels() { # NUMBER ESCAPE
    head -c "$1" /dev/zero | LC_ALL=C tr '\0' "$2"
}

# NAME.prototxt, a net that learns two classes of what a data layer with these fields gives.
# Its outputs in tests are two values for each image, and the labels.
make_net() { # NAME FIELDS
    cat >"$1.prototxt" <<END
name: "two"
layer { name: "data" top: "data" top: "label" $2 }
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layer {
  name: "loss" type: "SoftmaxWithLoss" bottom: "ip" bottom: "label" top: "loss"
  include { phase: TRAIN }
}
END
}

# Trains NET.prototxt with NAME_solver.prototxt, which leaves NAME_iter_1.caffemodel and so on.
train() { # NAME NET [FIELDS OF THE SOLVER]
    cat >"$1_solver.prototxt" <<END
net: "$2.prototxt"
base_lr: 0.1
momentum: 0.9
lr_policy: "fixed"
max_iter: 2
snapshot: 1
snapshot_prefix: "$1"
random_seed: 1
${3-}
END
    lenet train "$1_solver.prototxt"
}

# The parameters of weights for `two`, in the file OUT.
arrays() { # WEIGHTS OUT
    lenet export --model two.prototxt --weights "$1" --npz "$2"
}

# What NET.prototxt computes in a batch, one value a line, in the file NET.out.
compute() { # NET WEIGHTS
    lenet test --model "$1.prototxt" --weights "$2" --iterations 1
    sed -n 's/^.*\] Batch 0, //p' log >"$1.out"
    [ -s "$1.out" ] || fail "lenet-cl test --model $1.prototxt computed nothing: $(cat log)"
}

# NET.prototxt learns from its data what `two` does, to the last bit.
learns_as_two() { # NET
    train "$1" "$1"
    arrays "$1_iter_2.caffemodel" "$1.npz"
    same two.npz "$1.npz"
}

# With these weights, or data of this layer, a net computes what `two` or `pictures` does.
weights_are_of_two() { # WEIGHTS
    cp two.prototxt copy.prototxt
    compute copy "$1"
    same two.out copy.out
}

data_are_of_two() { # NAME FIELDS
    make_net "$1" "$2"
    compute "$1" two_iter_2.caffemodel
    same two.out "$1.out"
}

data_are_pictures() { # NAME FIELDS
    make_net "$1" "$2"
    compute "$1" pictures_iter_2.caffemodel
    same pictures.out "$1.out"
}

# The fields of a Data layer; its scale is exact in binary numbers.
data_of() { # SOURCE BATCH-SIZE [FIELDS OF transform_param]
    echo "type: \"Data\" data_param { source: \"$1\" batch_size: $2 backend: LMDB }" \
        "transform_param { ${3-scale: 0.00390625} }"
}

check_backend() { # BACKEND DATABASE
    case $1 in
    lmdb) [ -s "$2/data.mdb" ] || fail "$2 is no LMDB database: $(ls "$2")" ;;
    leveldb) [ -s "$2/CURRENT" ] || fail "$2 is no LevelDB database: $(ls "$2")" ;;
    esac
}

# ---- What the checks start from ----------------------------------------------------------------

# 8 images of 8 x 8: the upper half is bright in class 0, the lower half in class 1.
make_images() {
    local image dark='\0'
    printf '\0\0\10\3\0\0\0\10\0\0\0\10\0\0\0\10'
    for image in 0 1 2 3 4 5 6 7; do
        if [ $((image % 2)) -eq 0 ]; then
            pixels 32 "\\3${image}0"
            pixels 32 "$dark"
        else
            pixels 32 "$dark"
            pixels 32 "\\3${image}0"
        fi
    done
}

# The net `two` on IDX files, and `pictures` on a PNG and a JPEG file, both of 34 x 21.
prepare() {
    make_images >train-images-idx3-ubyte
    printf '\0\0\10\1\0\0\0\10\0\1\0\1\0\1\0\1' >train-labels-idx1-ubyte
    make_net two "$(data_of train-images-idx3-ubyte 8)"
    train two two
    arrays two_iter_2.caffemodel two.npz
    compute two two_iter_2.caffemodel

    printf 'color.png 0\ncolor.jpg 1\n' >pictures.txt
    lenet convert imageset "$root/tests/data/images/" pictures.txt pictures.db
    make_net pictures "$(data_of pictures.db 2)"
    train pictures pictures
    compute pictures pictures_iter_2.caffemodel
}

# ---- Prototxts ---------------------------------------------------------------------------------

# NAME.prototxt in the form that `proto decode` writes, as NAME.text.
decode() { # NAME
    lenet proto encode --type net "$1.prototxt" --out "$1.bin"
    lenet proto decode --type net "$1.bin" --out "$1.text"
}

# An old net becomes NEW.prototxt.
upgrades_to() { # OLD NEW
    lenet proto upgrade --type net "$1.prototxt" --out "$1.new"
    decode "$2"
    same "$2.text" "$1.new"
}

# Leaves the old forms for read_prototxt.
write_prototxt() {
    decode two
    cp two.text again.prototxt
    decode again
    same two.text again.text
    has two.text '  type: "SoftmaxWithLoss"'

    cat >v0.prototxt <<'END'
name: "two"
layers {
  layer { name: "data" type: "data" source: "train-images-idx3-ubyte" batchsize: 8
    scale: 0.00390625 }
  top: "data" top: "label"
}
layers {
  layer { name: "ip" type: "innerproduct" num_output: 2 weight_filler { type: "xavier" } }
  bottom: "data" top: "ip"
}
layers { layer { name: "loss" type: "softmax_loss" } bottom: "ip" bottom: "label" top: "loss" }
END
    cat >v1.prototxt <<'END'
name: "two"
layers {
  name: "data" type: DATA top: "data" top: "label"
  data_param { source: "train-images-idx3-ubyte" batch_size: 8 scale: 0.00390625 }
}
layers {
  name: "ip" type: INNER_PRODUCT bottom: "data" top: "ip"
  inner_product_param { num_output: 2 weight_filler { type: "xavier" } }
}
layers { name: "loss" type: SOFTMAX_LOSS bottom: "ip" bottom: "label" top: "loss" }
END
    # V0 has no include, and neither has a backend here.
    sed '/include/d; s/ backend: LMDB//' two.prototxt >plain.prototxt
    upgrades_to v0 plain
    upgrades_to v1 plain

    cat >input.prototxt <<'END'
input: "data"
input_dim: 2 input_dim: 1 input_dim: 8 input_dim: 8
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 2 }
}
END
    sed 's/^input: .*/layer { name: "input" type: "Input" top: "data"/
        s/^input_dim.*/input_param { shape { dim: [2, 1, 8, 8] } } }/' \
        input.prototxt >layer.prototxt
    upgrades_to input layer

    echo 'solver_type: NESTEROV' >solver.prototxt
    lenet proto upgrade --type solver solver.prototxt
    has log 'type: "Nesterov"'
}

is_refused() { # TEXT MESSAGE
    local code=0
    echo "$1" >refused.prototxt
    "$lenet_cl" proto check --type net refused.prototxt >log 2>&1 || code=$?
    [ $code -eq 3 ] || fail "proto check of '$1' ended with exit code $code: $(cat log)"
    has log "$2"
}

read_prototxt() {
    cat >rules.prototxt <<'END'
name: 'tw' "o" # strings side by side are one
layer: <
  name: "d\141ta", type: "Data"; top: ["data", 'label']
  data_param: < source: "train-images-idx3-ubyte" batch_size: 0x8 backend: 1 >
  transform_param { scale: 390625.0e-8 }
>
layer {
  name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
  inner_product_param { num_output: 02 weight_filler { type: "\x78avier" } } }
layer { name: "loss" type: "SoftmaxWithLoss" bottom: ["ip", "label"] top: "loss"
  include { phase: 0 } }
END
    decode rules
    same two.text rules.text
    learns_as_two rules
    is_refused 'layer { data_param { batch_size: 08 } }' ':1:35: Numbers starting with leading'
    is_refused 'name: "a" name: "b"' ':1:15: Non-repeated field "name"'
    is_refused 'nam: "a"' ':1:4: Message type "caffe.NetParameter" has no field named "nam"'

    local form
    for form in v0 v1; do
        lenet proto check --type net $form.prototxt
        learns_as_two $form
    done
    for form in input layer; do
        lenet proto check --type net $form.prototxt
        compute $form two_iter_2.caffemodel
    done
    same layer.out input.out

    train old two 'solver_type: NESTEROV'
    train new two 'type: "Nesterov"'
    lenet proto check --type solver old_solver.prototxt
    arrays old_iter_2.caffemodel old.npz
    arrays new_iter_2.caffemodel new.npz
    same old.npz new.npz
    ! cmp -s old.npz two.npz || fail "solver_type: NESTEROV trains as SGD does"
}

# ---- Snapshots ---------------------------------------------------------------------------------

write_caffemodel() {
    lenet proto decode --type net two_iter_2.caffemodel --out model.text
    has model.text '  name: "ip"'
    local n
    n=$(grep -c '^    data: ' model.text) || true
    [ "$n" = 130 ] || fail "there are $n numbers in the model, not 2 x 64 + 2"
}

read_caffemodel() {
    weights_are_of_two two_iter_2.caffemodel
    sed 's/^max_iter: 2/max_iter: 0/; s/"two"/"start"/; /^snapshot:/d' two_solver.prototxt \
        >start_solver.prototxt
    lenet train start_solver.prototxt --weights two_iter_2.caffemodel
    arrays start_iter_0.caffemodel start.npz
    same two.npz start.npz

    # The same parameters in the old forms of models.
    local numbers blobs
    lenet proto decode --type net two_iter_2.caffemodel --out model.text
    numbers=$(grep '^    data: ' model.text)
    blobs="blobs { num: 1 channels: 1 height: 2 width: 64 $(head -n 128 <<<"$numbers") }
        blobs { num: 1 channels: 1 height: 1 width: 2 $(tail -n 2 <<<"$numbers") }"
    cat >model_v0.prototxt <<END
layers { layer { name: "ip" type: "innerproduct" num_output: 2 $blobs }
  bottom: "data" top: "ip" }
END
    cat >model_v1.prototxt <<END
layers { name: "ip" type: INNER_PRODUCT inner_product_param { num_output: 2 } $blobs
  bottom: "data" top: "ip" }
END
    local form
    for form in model_v0 model_v1; do
        lenet proto encode --type net $form.prototxt --out $form.caffemodel
        weights_are_of_two $form.caffemodel
    done
}

write_solverstate() {
    lenet proto decode --type state two_iter_1.solverstate --out state.text
    has state.text 'iter: 1'
    has state.text 'learned_net: "two_iter_1.caffemodel"'
    has state.text 'history {'
}

# Goes on from iteration 1 to the second one, which no longer depends on the seed.
resume() { # NAME SNAPSHOT
    rm "$1"_iter_2.*
    sed -i 's/^random_seed: 1/random_seed: 2/' "$1_solver.prototxt"
    lenet train "$1_solver.prototxt" --snapshot "$2"
}

read_solverstate() {
    resume two two_iter_1.solverstate
    arrays two_iter_2.caffemodel resumed.npz
    same two.npz resumed.npz
}

write_hdf5_snapshot() {
    train h5 two 'snapshot_format: HDF5'
    starts_with h5_iter_2.caffemodel.h5 894844460d0a1a0a
    starts_with h5_iter_2.solverstate.h5 894844460d0a1a0a
    arrays h5_iter_2.caffemodel.h5 h5.npz
    same two.npz h5.npz
}

read_hdf5_snapshot() {
    weights_are_of_two h5_iter_2.caffemodel.h5
    resume h5 h5_iter_1.solverstate.h5
    arrays h5_iter_2.caffemodel.h5 h5_resumed.npz
    same two.npz h5_resumed.npz
}

# ---- Data --------------------------------------------------------------------------------------

# The bright values are 192, 208, 224, 240 above and 200, 216, 232, 248 below, in half the images.
write_binaryproto() {
    lenet convert mnist train-images-idx3-ubyte train-labels-idx1-ubyte mean.db
    lenet compute-mean mean.db mean.binaryproto
    lenet proto decode --type blob mean.binaryproto --out mean.text
    {
        repeat 32 'data: 108'
        repeat 32 'data: 112'
    } >wanted.text
    grep '^data: ' mean.text >mean.values || true
    same wanted.text mean.values
}

# A mean image of one value is that mean_value.
read_binaryproto() {
    local images=train-images-idx3-ubyte scale='scale: 0.00390625'
    make_net mean_file "$(data_of $images 8 "$scale mean_file: \"mean.binaryproto\"")"
    train mean_file mean_file
    {
        echo 'num: 1 channels: 1 height: 8 width: 8'
        repeat 64 'data: 100'
    } >flat.text
    lenet proto encode --type blob flat.text --out flat.binaryproto
    make_net flat "$(data_of $images 8 "$scale mean_file: \"flat.binaryproto\"")"
    compute flat two_iter_2.caffemodel
    make_net value "$(data_of $images 8 "$scale mean_value: 100")"
    compute value two_iter_2.caffemodel
    same value.out flat.out
    ! cmp -s two.out flat.out || fail "mean_file changes nothing"
}

write_database() {
    local backend
    for backend in lmdb leveldb; do
        lenet convert mnist train-images-idx3-ubyte train-labels-idx1-ubyte \
            bytes_$backend.db --backend $backend
        check_backend $backend bytes_$backend.db
        lenet extract-features two_iter_2.caffemodel two.prototxt data \
            floats_$backend.db 1 $backend
        check_backend $backend floats_$backend.db
        lenet convert imageset "$root/tests/data/images/" pictures.txt \
            encoded_$backend.db --backend $backend --encoded
        check_backend $backend encoded_$backend.db
    done
}

# Records of floats have no labels, and are scaled already.
read_database() {
    local backend
    grep '^ip' two.out >two.ip
    for backend in lmdb leveldb; do
        make_net bytes_$backend "$(data_of bytes_$backend.db 8)"
        learns_as_two bytes_$backend
        data_are_of_two bytes_$backend "$(data_of bytes_$backend.db 8)"
        make_net floats_$backend "$(data_of floats_$backend.db 8 'scale: 1')"
        compute floats_$backend two_iter_2.caffemodel
        grep '^ip' floats_$backend.out >floats.ip
        same two.ip floats.ip
        data_are_pictures encoded_$backend "$(data_of encoded_$backend.db 2)"
    done
}

read_idx() {
    mkdir gz
    gzip -c train-images-idx3-ubyte >gz/train-images-idx3-ubyte.gz
    gzip -c train-labels-idx1-ubyte >gz/train-labels-idx1-ubyte.gz
    make_net zipped "$(data_of gz/train-images-idx3-ubyte.gz 8)"
    learns_as_two zipped
    data_are_of_two unzipped "$(data_of train-images-idx3-ubyte 8)"
    printf 'label = %s\n' 0 1 0 1 0 1 0 1 >wanted.labels
    grep '^label' unzipped.out >labels || true
    same wanted.labels labels
}

cifar_image() { # LABEL RED GREEN BLUE, as octal escapes
    pixels 1 "$1"
    pixels 1024 "$2"
    pixels 1024 "$3"
    pixels 1024 "$4"
}

read_cifar() {
    local label
    mkdir batches
    for label in 1 2 3 4 5; do
        cifar_image "\\$label" '\12' '\24' '\36' >batches/data_batch_$label.bin
    done
    cifar_image '\7' '\50' '\62' '\74' >batches/test_batch.bin
    lenet convert cifar batches batches
    lenet compute-mean batches/cifar10_train_lmdb
    has log 'Processed 5 files.'
    has log 'mean_value channel [0]: 10'
    has log 'mean_value channel [1]: 20'
    has log 'mean_value channel [2]: 30'
    lenet compute-mean batches/cifar10_test_lmdb
    has log 'Processed 1 files.'
    has log 'mean_value channel [2]: 60'

    make_net cifar "$(data_of batches/cifar10_train_lmdb 5)"
    sed -i 's/num_output: 2/num_output: 6/' cifar.prototxt
    train cifar cifar
    compute cifar cifar_iter_2.caffemodel
    printf 'label = %s\n' 1 2 3 4 5 >wanted.labels
    grep '^label' cifar.out >labels || true
    same wanted.labels labels
}

# A file of the other format is encoded anew.
write_image() {
    local format
    for format in png jpg; do
        lenet convert imageset "$root/tests/data/images/" pictures.txt \
            encoded_$format.db --encode_type $format
    done
    check_backend lmdb encoded_png.db
    check_backend lmdb encoded_jpg.db
    [ "$(grep -ao IHDR encoded_png.db/data.mdb | wc -l)" -eq 2 ] || fail "there are not two PNGs"
    [ "$(grep -ao JFIF encoded_jpg.db/data.mdb | wc -l)" -eq 2 ] || fail "there are not two JPEGs"
}

# `pictures` has read both by `convert imageset`.
read_image() {
    data_are_pictures image_data "type: \"ImageData\" transform_param { scale: 0.00390625 }
        image_data_param { source: \"pictures.txt\" root_folder: \"$root/tests/data/images/\"
        batch_size: 2 }"
    data_are_pictures encoded_png "$(data_of encoded_png.db 2)"
    make_net encoded_jpg "$(data_of encoded_jpg.db 2)"
    train encoded_jpg encoded_jpg
}

# ---- Other programs ----------------------------------------------------------------------------

write_npz() {
    arrays two_iter_2.caffemodel written.npz
    starts_with written.npz 504b0304
    has written.npz ip/0.npy
    has written.npz ip/1.npy
}

# What NumPy's savez_compressed made of {"ip/0": w, "ip/1": b}: w are float64, 64 times 0.5 and
# 64 times -0.25, b are float16, 1 and 2.
numpy_arrays() {
    base64 -d <<'END'
UEsDBC0AAAAIAAAAIQC3+oJn//////////8IABQAaXAvMC5ucHkBABAAgAQAAAAAAABWAAAAAAAA
AJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqGuo6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5
GkY6CmYmmjoKtQrkAi4GMHhgP0qPZPrC/lF6ZNIAUEsDBC0AAAAIAAAAIQD9lr7i//////////8I
ABQAaXAvMS5ucHkBABAAhAAAAAAAAABIAAAAAAAAAJvsF+obEMnIUMZQrZ6SWpxcpG6loG6TZqSu
o6Cell9UUpSYF59flJIKEndLzClOBYoXZyQWpAL5GkY6mjoKtQoUAC4GGwYHAFBLAQItAy0AAAAI
AAAAIQC3+oJnVgAAAIAEAAAIAAAAAAAAAAAAAACAAQAAAABpcC8wLm5weVBLAQItAy0AAAAIAAAA
IQD9lr7iSAAAAIQAAAAIAAAAAAAAAAAAAACAAZAAAABpcC8xLm5weVBLBQYAAAAAAgACAGwAAAAS
AQAAAAA=
END
}

read_npz() {
    lenet import --npz written.npz --model two.prototxt --out imported.caffemodel
    arrays imported.caffemodel imported.npz
    same two.npz imported.npz
    weights_are_of_two imported.caffemodel

    numpy_arrays >numpy.npz
    lenet import --npz numpy.npz --model two.prototxt --out numpy.caffemodel
    lenet proto decode --type net numpy.caffemodel --out numpy.text
    {
        repeat 64 '    data: 0.5'
        repeat 64 '    data: -0.25'
        echo '    data: 1'
        echo '    data: 2'
    } >wanted.text
    grep '^    data: ' numpy.text >numpy.values || true
    same wanted.text numpy.values
}

# Field 1 of a ModelProto is ir_version; tests/onnx_models.py runs such models.
write_onnx() {
    lenet export --model two.prototxt --weights two_iter_2.caffemodel --onnx two.onnx
    starts_with two.onnx 08
    has two.onnx ip/0
    has two.onnx Gemm
}

write_hdf5_data() {
    sed '/^layer {$/,$d' two.prototxt >output.prototxt
    cat >>output.prototxt <<'END'
layer {
  name: "output" type: "HDF5Output" bottom: "data" bottom: "label"
  hdf5_output_param { file_name: "written.h5" }
}
END
    lenet test --model output.prototxt --weights two_iter_2.caffemodel --iterations 1
    starts_with written.h5 894844460d0a1a0a
}

# The scaled images of `two` and their labels, which h5py has packed by shuffle and deflate.
packed_data() {
    base64 -d <<'END' | gzip -dc
H4sIAAAAAAACA+v0cHHj5ZLiYgABDg4GFgYBBmTwHwp8ZVH5MPkEKM0IpTug9AommDgjWE4CKi4I
NR9dXUiQqytI9X80ALPHgAVCo7puFIwU4OHqGACiI6B8WHo6wYSqLiWxJBFE5yQmpeYgpUsHMu1l
ZGCDmMEI43tAaBaIAAda+ufAQeOSZwb6BCQnqCDPAEniCgziHAzi9VB5VqBKkDwTMxPYCG4GCzCf
EepvJrA8I0NxRmlaWk4q1AyQfRDxlNS0nMSSVAZOuL0KEHuZWCtYEU5hhNIgjDenBfv5uzCCbYUA
BWb84Qcz5a/waBpGBqDyjhFLeWdLojkH0MKVUHpjGQ36UTAKRsEoGAWjYBSMglEwCkbBKBiSoOLW
27MLRRkUeI5cyAtTEep0CVOSnC+o9G7hDnsHocS0/VkOb8sNGn7NT2D8Gp/A/LXegenrfKX/9//p
r9gxmxFzcAMyrMLIyEilwQoFyGAFI6FBCQnooAQTryjCSqS+asKAdspxDTraymLvfI92skfBKBgF
o2AUjILh3PhKTmBoZKtmkzFh0HjD9BcAAlgV/00dAAA=
END
}

read_hdf5_data() {
    local name
    packed_data >packed.h5
    for name in written packed; do
        echo $name.h5 >$name.txt
        data_are_of_two $name "type: \"HDF5Data\"
            hdf5_data_param { source: \"$name.txt\" batch_size: 8 }"
    done
}

# ---- The table and the checks ------------------------------------------------------------------

declare -A names reads writes # of our rows, by the first cell
declare -A cells              # the first cells, by the row's name
while read -r name; do
    read -r _ file
    read -r _ read
    read -r _ written
    names[$file]=$name
    reads[$file]=$read
    writes[$file]=$written
    cells[$name]=$file
done < <(table)

n_wrong=0
wrong() {
    echo "FAILED: $*" >&2
    n_wrong=$((n_wrong + 1))
}

# A function is there exactly where the cell that it checks has text.
compare_function() { # FUNCTION CELL
    if [ -n "$2" ] && ! declare -F "$1" >/dev/null; then
        wrong "formats.sh has no function $1 to check '$2'"
    elif [ -z "$2" ] && declare -F "$1" >/dev/null; then
        wrong "formats.sh has a function $1, but the cell for it is empty"
    fi
}

compare_cell() { # FILE COLUMN README'S OURS
    [ "$3" = "$4" ] || wrong "README.md's row '$1' has '$3' as $2; formats.sh checks '$4'"
}

files=() # the first cells of README.md's rows
declare -A in_readme
while IFS='|' read -r _ file read written _; do
    file=${file# } file=${file% }
    read=${read# } read=${read% }
    written=${written# } written=${written% }
    files+=("$file")
    in_readme[$file]=yes
    if [ -z "${names[$file]-}" ]; then
        wrong "README.md's row '$file' has no check in formats.sh"
        continue
    fi
    compare_cell "$file" read "$read" "${reads[$file]}"
    compare_cell "$file" written "$written" "${writes[$file]}"
done < <(sed -n '/^| file | read | written |$/,/^$/p' "$root/README.md" | sed '1,2d; /^$/d')

for name in "${!cells[@]}"; do
    file=${cells[$name]}
    compare_function "read_$name" "${reads[$file]}"
    compare_function "write_$name" "${writes[$file]}"
    [ -n "${in_readme[$file]-}" ] ||
        wrong "formats.sh checks the row '$file', which README.md's table has not"
done
for function in $(compgen -A function | grep -E '^(read|write)_'); do
    [ -n "${cells[${function#*_}]-}" ] ||
        wrong "formats.sh has a function $function, but no such row"
done
[ $n_wrong -eq 0 ] || exit 1

prepare
for row in "${files[@]}"; do
    [ -z "${writes[$row]}" ] || "write_${names[$row]}"
    [ -z "${reads[$row]}" ] || "read_${names[$row]}"
    echo "ok: $row"
done
