"""What is public: attributes, methods, rights and faults, each declared once."""
