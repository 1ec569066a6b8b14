"""LeNet's inference in OpenCV's dnn module, from Caffe's own files. See peer.py."""
import os

import peer
import cv2

args = peer.parse_arguments()


def make_inference(images):
    net = cv2.dnn.readNetFromCaffe(os.path.join(args.work, "deploy_%d.prototxt" % len(images)),
                                   os.path.join(args.work, "weights.caffemodel"))

    def run():
        net.setInput(images)
        return net.forward()

    return run


cv2.setNumThreads(args.threads)
peer.serve("OpenCV " + cv2.__version__, make_inference)
