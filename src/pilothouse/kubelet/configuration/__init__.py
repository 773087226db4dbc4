"""KubeletConfiguration: files read, merged, defaulted, validated, and made into what a kubelet is configured by."""
