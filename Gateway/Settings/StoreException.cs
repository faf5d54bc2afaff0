namespace Gateway.Settings;

/// <summary>The store cannot be used. The message says why and what to do.</summary>
internal class StoreException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The store's file is damaged, or none of ours: only a restore helps.</summary>
internal sealed class DamagedStoreException(string message, Exception? inner = null) : StoreException(message, inner);
