"""Every word that a `.nn` file may use."""
