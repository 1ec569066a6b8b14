#!/usr/bin/env bash
# As a user would: install, build examples/classify.c against the installed library, train a
# small LeNet from IDX files, classify an image with it.
# Usage: tests/install.sh BUILD-FOLDER COMPILER [FLAG...]; from the repository's root.
set -euo pipefail

build=$1
compile=("${@:2}" -std=c11 -Wall -Wextra -Wpedantic -Wconversion -Werror)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "FAILED: $*" >&2
    exit 1
}

# Where it goes.
cmake --install "$build" --prefix "$work/usr" >/dev/null
for file in bin/lenet-cl include/lcl/net.h include/lcl/caffe.pb-c.h; do
    [ -s "$work/usr/$file" ] || fail "$file was not installed"
done

# Every installed header stands alone, and the example needs nothing else.
PKG_CONFIG_PATH=$(dirname "$(find "$work/usr" -name lcl.pc)")
export PKG_CONFIG_PATH LD_LIBRARY_PATH=${PKG_CONFIG_PATH%/pkgconfig}
read -ra cflags <<<"$(pkg-config --cflags lcl)"
read -ra libs <<<"$(pkg-config --libs lcl)"
for header in "$work"/usr/include/lcl/*.h; do
    echo "#include \"lcl/${header##*/}\"" >"$work/alone.c"
    echo "int main(void) { return 0; }" >>"$work/alone.c"
    "${compile[@]}" -fsyntax-only "${cflags[@]}" "$work/alone.c" || fail "$header"
done
"${compile[@]}" examples/classify.c "${cflags[@]}" "${libs[@]}" -o "$work/classify"

# It carries what it verifies a device with.
(cd / && "$work/usr/bin/lenet-cl" verify --quick --only layers/ReLU,updates) >"$work/verify.txt" 2>&1 ||
    fail "$(cat "$work/verify.txt")"
grep -q ', 0 failed$' "$work/verify.txt" || fail "$(cat "$work/verify.txt")"

# 100 iterations on the test images are enough to know a boot.
data=/usr/share/datasets/fashion-mnist
sed "s|examples/mnist/mnist_.*_lmdb|$data/t10k-images-idx3-ubyte.gz|" \
    examples/mnist/lenet_train_test.prototxt >"$work/net.prototxt"
cat >"$work/solver.prototxt" <<END
net: "$work/net.prototxt"
test_iter: 10
test_interval: 100
test_initialization: false
base_lr: 0.01
momentum: 0.9
lr_policy: "fixed"
max_iter: 100
snapshot_prefix: "$work/lenet"
random_seed: 1
END
cd "$work"
usr/bin/lenet-cl train solver.prototxt 2>train.log || fail "$(cat train.log)"
accuracy=$(sed -n 's/.*accuracy = \([0-9.]*\).*/\1/p' train.log)
awk -v accuracy="$accuracy" 'BEGIN { exit !(accuracy > 0.5) }' ||
    fail "accuracy is '$accuracy' after 100 iterations: $(cat train.log)"

# Image 0 of Fashion-MNIST's test set is class 9, an ankle boot; so is the same image as PGM.
net=$OLDPWD/examples/mnist/lenet.prototxt
zcat "$data/t10k-images-idx3-ubyte.gz" >images
./classify "$net" lenet_iter_100.caffemodel images 0 >idx.txt
grep -q "It is class 9" idx.txt || fail "image 0 is not class 9: $(cat idx.txt)"
[ "$(grep -c '^class ' idx.txt)" -eq 10 ] || fail "not ten classes: $(cat idx.txt)"
{
    printf 'P5\n# a boot\n28 28\n255\n'
    dd if=images bs=16 skip=1 count=49 status=none
} >boot.pgm
./classify "$net" lenet_iter_100.caffemodel boot.pgm >pgm.txt
cmp idx.txt pgm.txt
./classify "$net" lenet_iter_100.caffemodel - 0 <images | cmp - idx.txt

# What is not an image, and what is not there.
if ./classify "$net" lenet_iter_100.caffemodel solver.prototxt 2>error.txt; then
    fail "a prototxt passed as an image"
fi
grep -q "neither a grey PGM" error.txt || fail "$(cat error.txt)"
if ./classify "$net" lenet_iter_100.caffemodel images 10000 2>error.txt; then
    fail "image 10000 of 10000 was found"
fi
grep -q "has no whole image 10000" error.txt || fail "$(cat error.txt)"
if ./classify "$net" missing.caffemodel images 0 2>error.txt; then
    fail "missing weights were found"
fi
grep -q "missing.caffemodel" error.txt || fail "$(cat error.txt)"
echo "accuracy $accuracy; installed, built, trained, classified"
