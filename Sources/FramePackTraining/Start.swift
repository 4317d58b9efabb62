// FramePackTraining
