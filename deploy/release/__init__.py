"""What accompanies a release: bills of materials, the list of licences, the notes."""
