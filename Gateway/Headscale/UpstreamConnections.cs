using System.Threading.Channels;

namespace Gateway.Headscale;

/// <summary>Tells the watch that a forwarded call opened a connection: another Headscale may be answering from now on.</summary>
internal sealed class UpstreamConnections
{
    private readonly Channel<bool> _opened = Channel.CreateBounded<bool>(
        new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Opened() => _opened.Writer.TryWrite(true);

    /// <summary>Ends when a connection was opened since this ended last.</summary>
    public async Task NextAsync(CancellationToken cancel) => await _opened.Reader.ReadAsync(cancel);
}
