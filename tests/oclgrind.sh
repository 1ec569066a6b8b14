#!/bin/sh
# Runs every kernel on small data in oclgrind: accesses out of bounds, races between
# work-items, use of uninitialised values, wrong API calls.
#   tests/oclgrind.sh build/lenet-cl          (from the repository's root)
# oclgrind exits 0 whatever it finds, so its log must be empty. The optimiser is off because
# oclgrind's check of uninitialised values does not know all of LLVM's instructions.
set -u
program=$1
log=$(mktemp)
output=$(mktemp)
trap 'rm -f "$log" "$output"' EXIT
failed=0
unset LCL_PLATFORM LCL_DEVICE

# check "oclgrind's options" "the command's arguments"
check() {
    # shellcheck disable=SC2086
    oclgrind --build-options "-cl-opt-disable -DOCLGRIND" --log "$log" --data-races --check-api $1 \
        "$program" $2 >"$output" 2>&1
    if [ $? -ne 0 ] || [ -s "$log" ]; then
        echo "FAILED: $program $2"
        tail -n 20 "$output"
        head -n 40 "$log"
        failed=1
    fi
}

cases=
for name in relu relu_inplace absval_2d elu_inplace log_base2 eltwise_max3 eltwise_prod3 \
    eltwise_sub concat_three concat_axis0 slice_points crop_offset reshape_full \
    scale_bias_inplace scale_two_bottoms_full bias_num_axes2 prelu embed_2d tile_axis_m1 \
    reduction_mean_axis0 reduction_sumsq_axis_m1 argmax_axis_m1_val_top2 \
    batchreindex_drop filter_two parameter pooling_max_mask pooling_max_hw \
    pooling_ave_k3s2_pad1 softmax_axis0 softmax_axis2 softmaxloss \
    softmaxloss_ignore_norm_valid accuracy_per_class_ignore accuracy_top5 dropout_train \
    convolution_group2 convolution_kernel_hw_pad_hw_stride_hw convolution_dilation_hw \
    convolution_k1 innerproduct_axis_m1 innerproduct_no_bias deconvolution_group2 \
    im2col_k3_pad1_stride2 lrn_across_local3 lrn_within_default batchnorm_train_inplace \
    batchnorm_test_inplace mvn_eps mvn_mean_only_across euclideanloss hingeloss_l2 \
    hingeloss_l1_weight multinomiallogisticloss sigmoidcrossentropyloss_ignore_full \
    contrastiveloss_weight infogainloss_ignore infogainloss_axis2 spp_h2_max rnn_static \
    lstm_expose_hidden lstmunit_cont; do
    cases="$cases tests/golden/layers/$name"
done
for layout in "--block 1 --vector 1" "--block 4 --vector 4" "--block 8 --vector 2" \
    "--block 16 --vector 16"; do
    check --uninitialized "verify $layout $cases"
done

# What layers by themselves do not run, and layers of which no results of Caffe are stored.
check --uninitialized "verify --quick --only layouts,layers/Sigmoid,layers/Split"
check --uninitialized "verify --quick --gemm own --only gemm,winograd,sums,nets,updates"
# Step by step, which is the way of larger layers and of other devices.
check --uninitialized "verify --quick --block 32 --vector 16 --only winograd"

# A whole net: splits, update, clipping, tests.
for block in 1 4 16; do
    export LCL_BLOCK=$block
    check --uninitialized "train tests/data/tiny/solver.prototxt"
    check --uninitialized "time --iterations 5 --resident on --model tests/data/tiny/data.prototxt"
done
[ $failed -eq 0 ] && echo "oclgrind: all clean"
exit $failed
