"""The segmentation service: photos become masks."""
