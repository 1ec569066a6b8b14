# Sourced by the LeNet benchmarks: a solver for `lenet-cl train`, and statistics.

data=${LCL_BENCH_DATA-/usr/share/datasets/fashion-mnist}
python=${PYTHON-python3}

# Writes a database, net and solver to folder `$1`: examples/mnist's recipe for `$2` iterations
# with a log line every `$3`, without tests and snapshots.
write_solver() {
    build/lenet-cl convert mnist "$data/train-images-idx3-ubyte.gz" \
        "$data/train-labels-idx1-ubyte.gz" "$1/lmdb" 2>/dev/null
    sed -e "s|examples/mnist/mnist_train_lmdb|$1/lmdb|" \
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
