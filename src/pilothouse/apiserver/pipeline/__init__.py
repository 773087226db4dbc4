"""The write pipeline: every change of an object runs through these stages in this order, a file a stage."""
