//! Makes the generated models tolerate responses that differ from the description.
//!
//! Adds `deserialize_with` to every optional field, so that a value of another type is coerced or omitted and
//! does not fail the whole document. Request models are never deserialized, so all models can be treated
//! alike.

use syn::visit_mut::{self, VisitMut};
use syn::{Field, Fields, File, ItemStruct, Type, parse_quote};

/// Rewrites every struct of the file.
pub fn make_lenient(file: &mut File) {
    LenientFields.visit_file_mut(file);
}

struct LenientFields;

impl VisitMut for LenientFields {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        if let Fields::Named(fields) = &mut item.fields {
            fields.named.iter_mut().filter(|field| is_option(&field.ty)).for_each(annotate);
        }
        visit_mut::visit_item_struct_mut(self, item);
    }
}

fn annotate(field: &mut Field) {
    field.attrs.push(parse_quote! {
        #[serde(default, deserialize_with = "crate::api::lenient_fields::option")]
    });
}

fn is_option(kind: &Type) -> bool {
    let Type::Path(path) = kind else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}
