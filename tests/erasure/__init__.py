"""People are erased while others talk: of the ones nothing is left, and the others notice nothing."""
