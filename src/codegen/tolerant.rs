//! Makes the generated models survive an answer that differs from its description.
//!
//! Adds `deserialize_with` to every field of a model that typify made optional, so that a value of
//! another type is coerced or left out instead of failing the whole document. Request models are
//! only ever serialised, so the pass may treat all models alike.

use syn::visit_mut::{self, VisitMut};
use syn::{Field, Fields, File, ItemStruct, Type, parse_quote};

/// Rewrites every struct of the file.
pub fn make_tolerant(file: &mut File) {
    Tolerant.visit_file_mut(file);
}

struct Tolerant;

impl VisitMut for Tolerant {
    fn visit_item_struct_mut(&mut self, item: &mut ItemStruct) {
        if let Fields::Named(fields) = &mut item.fields {
            fields.named.iter_mut().filter(|field| is_option(&field.ty)).for_each(annotate);
        }
        visit_mut::visit_item_struct_mut(self, item);
    }
}

fn annotate(field: &mut Field) {
    field.attrs.push(parse_quote! {
        #[serde(default, deserialize_with = "crate::api::tolerant::option")]
    });
}

fn is_option(kind: &Type) -> bool {
    let Type::Path(path) = kind else { return false };
    path.path.segments.last().is_some_and(|segment| segment.ident == "Option")
}
