# Sourced by the LeNet benchmarks: a solver for `lenet-cl train`, and statistics.

data=${LCL_BENCH_DATA-/usr/share/datasets/fashion-mnist}
python=${PYTHON-python3}

# Writes net and solver files for `$2` iterations, a log line every `$3`, to folder `$1`:
# examples/mnist's recipe straight from the IDX files, without tests and snapshots.
write_solver() {
    sed -e "s|examples/mnist/mnist_train_lmdb|$data/train-images-idx3-ubyte.gz|" \
        -e "s|examples/mnist/mnist_test_lmdb|$data/t10k-images-idx3-ubyte.gz|" \
        examples/mnist/lenet_train_test.prototxt >"$1/net.prototxt"
    sed -e "s|^net:.*|net: \"$1/net.prototxt\"|" \
        -e "/^test_i/d" \
        -e "s|^display:.*|display: $3|" -e "s|^max_iter:.*|max_iter: $2|" \
        -e "s|^snapshot:.*|snapshot_after_train: false|" \
        -e "s|^snapshot_prefix:.*|snapshot_prefix: \"$1/lenet\"|" \
        examples/mnist/lenet_solver.prototxt >"$1/solver.prototxt"
}

# Minimum and median of the numbers of file `$1`.
statistics() {
    sort -g "$1" | awk '{ x[NR] = $1 }
        END { m = int((NR + 1) / 2)
              printf "%.3f %.3f", x[1], NR % 2 ? x[m] : (x[m] + x[m + 1]) / 2 }'
}

cpu_name() {
    sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1
}
