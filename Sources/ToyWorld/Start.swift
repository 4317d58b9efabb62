// ToyWorld
