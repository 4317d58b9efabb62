// TorchOptim
