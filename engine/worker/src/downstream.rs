//! The loops of clients' connections, one file per protocol, and the choice among them.

use std::rc::Rc;

use engine_net::Conn;

use crate::core::Core;
use crate::listener::Listening;

mod http1;
mod http2;

pub(crate) use http2::Downstream;

/// Serves a connection that has been accepted, to its end.
pub(crate) async fn serve(core: Rc<Core>, conn: Conn, listening: Rc<Listening>) {
    let found = http1::serve(Rc::clone(&core), conn, Rc::clone(&listening)).await;
    if let Some((conn, read)) = found {
        http2::serve(core, conn, read, listening).await;
    }
}
